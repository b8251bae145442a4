using System.Diagnostics;
using LightTts.Models.CosyVoice.Flow;
using LightTts.Models.CosyVoice.Flow.DiT;
using LightTts.Tests.Support;
using LightTts.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace LightTts.Tests.Gpu;

/// <summary>The flow's captured batches against the plain estimator, utterance by utterance, on the same device.</summary>
[Collection(GpuCollection.Name)]
public sealed class GpuFlowGraphTests(ITestOutputHelper output)
{
    private const int Steps = 10, Rows = 8;

    /// <summary>Streams with shared prompts, in step, in company: 32 bits to 1e-5 of the largest number of the mel; in bfloat16 both are compared
    /// with the plain one in 32 bits, and the captured one may not be further away than the plain one by more than a quarter.</summary>
    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.BFloat16)]
    public void Streams_in_company(ScalarType compute)
    {
        var device = TestDevice.Get();
        using var thread = Enter(device);
        using var scope = NewDisposeScope();
        using var exact = Flows.Plain(device: device); // on this thread's stream
        using var plain = Flows.Plain(compute: compute, device: device);
        using var captured = Ready(compute, device);
        var voices = Enumerable.Range(0, 3).Select(i => Flows.Timbre(i, 27 * i)).ToArray();
        var texts = Enumerable.Range(0, Rows).Select(i => Flows.Tokens(new Random(i), 60 + 11 * i)).ToArray();
        Tensor[] Alone(FlowModel flow) => [.. texts.Select((text, i) =>
        {
            using var state = flow.Start(voices[i % voices.Length], streaming: true, Steps);
            return flow.Stream(state, text, [30, 25, text.Length - 55]).cpu();
        })];
        var states = texts.Select((_, i) => captured.Start(voices[i % voices.Length], streaming: true, Steps)).ToArray();
        var heard = texts.Select(_ => new List<Tensor>()).ToArray();
        var before = 0;
        foreach (var end in (int[])[30, 55, int.MaxValue])
        {
            FlowRow[] rows = [.. texts.Select((text, i) => new FlowRow
            {
                State = states[i],
                Tokens = text.AsMemory(before, Math.Min(end, text.Length) - before),
                Final = end >= text.Length,
            })];
            captured.Run(rows);
            foreach (var (row, i) in rows.Select((row, i) => (row, i)))
            {
                Assert.Null(row.Error);
                if (row.Mel is { } mel)
                    heard[i].Add(mel.cpu());
            }
            before = end;
        }
        Compare(compute, Alone(exact), Alone(plain), [.. heard.Select(mels => cat(mels, 2))]);
        foreach (var state in states)
            state.Dispose();
        Assert.Equal(0, captured.CacheBytes);
    }

    /// <summary>Whole utterances, alone and in company, of lengths that are captured and of one that is not.</summary>
    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.BFloat16)]
    public void Whole_utterances(ScalarType compute)
    {
        var device = TestDevice.Get();
        using var thread = Enter(device);
        using var scope = NewDisposeScope();
        using var exact = Flows.Plain(device: device); // on this thread's stream
        using var plain = Flows.Plain(compute: compute, device: device);
        using var captured = Ready(compute, device);
        foreach (var counts in (int[][])[[40], [30, 45, 50, 90, 250], [600]])
        {
            FlowRow[] Make(FlowModel flow) => [.. counts.Select((count, i) => new FlowRow
            {
                State = flow.Start(Flows.Timbre(i, 15), streaming: false, Steps),
                Tokens = Flows.Tokens(new Random(i), count),
                Final = true,
            })];
            Tensor[] Mels(FlowModel flow, bool company)
            {
                var rows = Make(flow);
                foreach (var group in company ? [rows] : rows.Select(row => new[] { row }).ToArray())
                    flow.Run(group);
                return [.. rows.Select(row =>
                {
                    Assert.Null(row.Error);
                    row.State.Dispose();
                    return row.Mel!.cpu();
                })];
            }
            Compare(compute, Mels(exact, company: false), Mels(plain, company: false), Mels(captured, company: true));
        }
    }

    /// <summary>The solver's steps as a part of the evaluation are those behind it, whatever shape and whoever was there before.</summary>
    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.BFloat16)]
    public void Steps_with_the_evaluation_are_those_behind_it(ScalarType compute)
    {
        var device = TestDevice.Get();
        using var thread = Enter(device);
        using var inference = inference_mode();
        using var scope = NewDisposeScope();
        using var flow = Ready(compute, device);
        foreach (var (tokens, chunk) in ((int, int)[])[(20, 50), (40, 0), (21, 50), (90, 50), (41, 0), (600, 0), (20, 50)])
        {
            var segment = flow.Segment(Flows.Timbre(tokens, 10), Flows.Tokens(new Random(tokens), tokens), chunk);
            var behind = flow.Solve(segment, Steps, observe: (_, _, _) => { });
            var difference = Flows.Difference(behind, flow.Solve(segment, Steps)) / behind.abs().max().ToSingle();
            output.WriteLine($"{compute}, {segment.Count} frames, chunks of {chunk}: {difference:E1}");
            Assert.InRange(difference, 0, compute == ScalarType.Float32 ? 1e-6 : 1e-3);
        }
    }

    private static IDisposable Enter(TorchDevice device) => new TorchThread(2, device.IsCuda ? device.Device.index : null).Enter(urgent: true);

    private FlowModel Ready(ScalarType compute, TorchDevice device)
    {
        var flow = Flows.Batched(options: new FlowOptions(CacheBudget: 1L << 29), compute: compute, device: device);
        flow.AllocateCaches();
        if (device.IsCuda)
            cuda.synchronize(device.Device); // the weights came by another stream
        var watch = Stopwatch.StartNew();
        flow.Prepare(Rows);
        var graphs = ((DiTDeviceEstimator)flow.Estimator).Buffers.Count(buffers => buffers.Graph is not null);
        output.WriteLine($"{graphs} shapes captured in {watch.Elapsed.TotalSeconds:0.0} s, "
            + $"{(((DiTDeviceEstimator)flow.Estimator).HasOwnKernels ? "with" : "without")} own kernels");
        if (device.IsCuda)
            Assert.InRange(graphs, 10, 200);
        return flow;
    }

    private void Compare(ScalarType compute, Tensor[] exact, Tensor[] plain, Tensor[] captured)
    {
        for (var i = 0; i < exact.Length; i++)
        {
            Assert.Equal(exact[i].shape, captured[i].shape);
            var largest = (double)exact[i].abs().max().ToSingle();
            var maximum = Flows.Difference(plain[i], captured[i]) / largest;
            var (plainError, capturedError) = (Error(exact[i], plain[i]), Error(exact[i], captured[i]));
            output.WriteLine($"{compute} row {i}, {exact[i].shape[2]} frames: captured against plain {maximum:E1} of the largest; "
                + $"root mean square against 32 bits, plain {plainError:E1}, captured {capturedError:E1}");
            if (compute == ScalarType.Float32)
                Assert.InRange(maximum, 0, 1e-5);
            else
                Assert.InRange(capturedError, 0, 1.25 * plainError + 1e-3);
        }
    }

    private static double Error(Tensor expected, Tensor actual) =>
        (expected - actual).pow(2).mean().sqrt().ToSingle() / expected.std().ToSingle();
}
