using System.Collections.Concurrent;
using System.Diagnostics;
using LightTts.Benchmarks.Paced;
using LightTts.Cuda;
using LightTts.Tests.Pipeline;
using LightTts.Tests.Support;
using TorchSharp;

namespace LightTts.Tests.Gpu;

/// <summary>Two thousand requests of every kind on the embedded voice, many at once, some of them left or cancelled at any moment.</summary>
[Collection(GpuCollection.Name)]
public sealed class GpuSoakTests(ITestOutputHelper output)
{
    private static readonly bool Rehearsal = TestDevice.Kind == ComputeDevice.Cpu;
    private static readonly int Together = Rehearsal ? 4 : 48, PerRound = Rehearsal ? 20 : 200, WarmRounds = Rehearsal ? 1 : 10,
        Rounds = Rehearsal ? 1 : 10;

    private static readonly string[] Texts = File.ReadAllLines(Path.Combine(Repo.Root, "LightTts.Tests", "EndToEnd", "sentences.txt"));
    private static readonly AudioClip Speech =
        new(AudioClip.FromWavFile(Path.Combine(Repo.TinyEn, "prompts", "slt.wav")).Samples[..24_000], 16_000);

    private readonly ConcurrentDictionary<string, int> _outcomes = new();
    private readonly ConcurrentDictionary<string, (int Gaps, double Worst)> _gaps = new();
    private readonly Stopwatch _clock = Stopwatch.StartNew();

    [Fact]
    public async Task Two_thousand_mixed_requests()
    {
        TestDevice.Need();
        var options = SharedPipeline.Options();
        options.Device = TestDevice.Kind;
        await using var pipeline = await TtsPipeline.LoadAsync(options);
        var captured = CudaGraph.Captured;
        List<Timbre> learnt = [];
        foreach (var name in (string[])["slt", "rms", "awb"])
            learnt.Add(await pipeline.Timbres.AddAsync(AudioClip.FromWavFile(Path.Combine(Repo.TinyEn, "prompts", name + ".wav"))));
        for (var round = 0; round < WarmRounds; round++)
            await RoundAsync(pipeline, learnt, round);
        _gaps.Clear();
        _outcomes.Clear();
        var (tensors, bytes) = (torch.Tensor.TotalCount, CudaMemory.Used());
        List<long> after = [];
        for (var round = 0; round < Rounds; round++)
        {
            var watch = Stopwatch.StartNew();
            await RoundAsync(pipeline, learnt, WarmRounds + round);
            after.Add(CudaMemory.Used() ?? 0);
            output.WriteLine(FormattableString.Invariant($"{(round + 1) * PerRound} requests, {watch.Elapsed.TotalSeconds:0.0} s: ")
                + $"{torch.Tensor.TotalCount} tensors (after warm-up {tensors}), {after[^1]} bytes of the device (after warm-up {bytes})");
        }
        output.WriteLine(string.Join(", ", _outcomes.OrderBy(pair => pair.Key).Select(pair => $"{pair.Key} {pair.Value}")));
        foreach (var (kind, (count, worst)) in _gaps)
            output.WriteLine(FormattableString.Invariant($"gaps, {kind}: {count}, the longest {worst:0} ms"));
        Assert.Equal(captured, CudaGraph.Captured);
        Assert.DoesNotContain(_outcomes, pair => pair.Key.EndsWith("Exception", StringComparison.Ordinal));
        // A tensor that stayed for every request would be two thousand; a new shape of a batch keeps some.
        Assert.InRange(torch.Tensor.TotalCount, 0, tensors + 200);
        Assert.All(after, used => Assert.Equal(bytes ?? 0, used));
        Assert.True(Rehearsal || _gaps.Values.All(gap => gap.Gaps == 0), "there were gaps");
    }

    private async Task RoundAsync(TtsPipeline pipeline, List<Timbre> learnt, int round)
    {
        using var places = new SemaphoreSlim(Together);
        await Task.WhenAll(Enumerable.Range(0, PerRound).Select(async i =>
        {
            await places.WaitAsync();
            var outcome = await Task.Run(() => OneAsync(pipeline, learnt, new Random(round * PerRound + i))).WaitAsync(TimeSpan.FromSeconds(60));
            _outcomes.AddOrUpdate(outcome, 1, (_, count) => count + 1);
            places.Release();
        }));
        for (var i = 0; i < 10_000 && !IsIdle(pipeline.Status); i++)
            await Task.Delay(1); // the stages free in their next step
        Assert.True(IsIdle(pipeline.Status), $"not idle: {pipeline.Status}");
    }

    private static bool IsIdle(TtsPipelineStatus status) =>
        status is { ActiveRequests: 0, KvBlocksInUse: 0, LanguageSequences: 0, DecodeUtterances: 0, DecodeCacheBytes: 0 }
        && status.FlowCacheBytesInUse <= status.FlowPromptBytes; // voices' prompts stay, for their next utterance

    /// <returns>What it was, and how it ended.</returns>
    private async Task<string> OneAsync(TtsPipeline pipeline, List<Timbre> learnt, Random random)
    {
        using var cancel = new CancellationTokenSource();
        var text = Texts[random.Next(Texts.Length)];
        var timbre = random.Next(3) == 0 ? learnt[random.Next(learnt.Count)] : null;
        var voice = timbre is null ? pipeline.Model.Voices[random.Next(pipeline.Model.Voices.Count)].Name : null;
        var kind = random.Next(10) switch { < 3 => "whole", < 7 => "streamed", < 9 => "live text", _ => "conversion" };
        var request = new SynthesisRequest
        {
            Text = text, Voice = voice, Timbre = timbre, Seed = random.Next(),
            Delivery = kind == "whole" ? AudioDelivery.Whole : AudioDelivery.Streaming,
        };
        var end = random.Next(8);
        if (end == 0)
            cancel.CancelAfter(random.Next(300));
        var chunks = random.Next(1, 3);
        var playback = new Playback(pipeline.Model.SampleRate);
        try
        {
            var audio = kind switch
            {
                "live text" => pipeline.SynthesizeAsync(
                    SynthesisEngineTests.Pieces([.. text.Split(' ').Select(word => word + " ")]), request with { Text = "" }, cancel.Token),
                "conversion" => pipeline.ConvertAsync(Speech, new ConversionRequest { Voice = voice, Timbre = timbre }, cancel.Token),
                _ => pipeline.SynthesizeAsync(request, cancel.Token),
            };
            await foreach (var chunk in audio)
            {
                playback.Add(_clock.Elapsed, chunk.Samples.Length);
                if (end == 1 && --chunks == 0)
                    return kind + " left";
            }
            return kind + " done";
        }
        catch (OperationCanceledException)
        {
            return kind + " cancelled";
        }
        catch (TtsException e)
        {
            return $"{kind}: {e.GetType().Name}";
        }
        finally
        {
            _gaps.AddOrUpdate(kind, (playback.Underruns, playback.Stalled.TotalMilliseconds),
                (_, sum) => (sum.Gaps + playback.Underruns, Math.Max(sum.Worst, playback.Stalled.TotalMilliseconds)));
        }
    }
}
