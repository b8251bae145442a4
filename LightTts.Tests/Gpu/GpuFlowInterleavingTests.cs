using LightTts.Models.CosyVoice.Flow;
using LightTts.Models.CosyVoice.Flow.DiT;
using LightTts.Tests.Support;
using LightTts.Timbres;
using LightTts.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace LightTts.Tests.Gpu;

/// <summary>Utterances that join, leave in the middle and take over each other's pages in random order: each is what it is alone.</summary>
[Collection(GpuCollection.Name)]
public sealed class GpuFlowInterleavingTests(ITestOutputHelper output)
{
    private const double Tolerance = 1e-5; // of the largest number of a mel
    private const int Steps = 3, Kinds = 24, MaxRows = 8;

    private const int Pages = 24; // too few for eight of the longer utterances, so that pages change hands

    // On the CPU it is rehearsed with the small fixture.
    private static readonly bool Rehearsal = TestDevice.Kind == ComputeDevice.Cpu;
    private static readonly (int Layers, int Dim, int Vocabulary) Model = Rehearsal ? (3, 48, 512) : (7, 256, 6561);

    // A chunk's frames, keys and values of all layers and the convolutions' inputs as one more, of both guidance rows, in 32 bits.
    private static readonly long Budget = Pages * 50L * (Model.Layers + 1) * 2 * 2 * Model.Dim * sizeof(float);

    /// <param name="rounds">Interleavings of a dozen utterances.</param>
    /// <param name="what">What occurs: "streams" that join, some that "leave", pages that are "short", "whole" utterances, "captured" passes.</param>
    [Theory]
    [InlineData(20, "streams")]
    [InlineData(20, "streams captured")]
    [InlineData(20, "streams leave captured")]
    [InlineData(20, "streams short captured")]
    [InlineData(20, "streams whole captured")]
    [InlineData(200, "streams leave short whole captured")]
    public void Two_hundred_interleavings(int rounds, string what)
    {
        var device = TestDevice.Get();
        bool Occurs(string kind) => what.Contains(kind, StringComparison.Ordinal);
        using var thread = new TorchThread(2, device.IsCuda ? device.Device.index : null).Enter(urgent: true);
        using var scope = NewDisposeScope();
        using var plain = Flows.Plain(golden: Rehearsal, device: device);
        using var batched = Flows.Batched(Rehearsal, new FlowOptions(CacheBudget: Occurs("short") ? Budget : 16 * Budget), device: device);
        batched.AllocateCaches();
        if (device.IsCuda)
            cuda.synchronize(device.Device); // the weights came by another stream
        if (Occurs("captured"))
            batched.Prepare(MaxRows);
        var random = new Random(11);
        var voices = Enumerable.Range(0, 3).Select(i => Flows.Timbre(i, 18 * i, Model.Vocabulary)).ToArray();
        Utterance[] kinds = [.. Enumerable.Range(0, Kinds).Select(i =>
            new Utterance(voices[i % voices.Length], Flows.Tokens(random, random.Next(20, 130), Model.Vocabulary), !Occurs("whole") || i % 4 != 3))];
        var alone = kinds.Select(kind =>
        {
            using var state = plain.Start(kind.Voice, kind.Streaming, Steps, sharePrefix: false);
            return plain.Run(state, kind.Tokens, final: true)!.cpu();
        }).ToArray();
        var (worst, finished, left, recomputed) = (0.0, 0, 0, 0);
        List<string> wrong = [];
        for (var round = 0; round < (Rehearsal ? Math.Min(rounds, 6) : rounds); round++)
        {
            List<Part> open = [];
            var waiting = new Queue<int>(Enumerable.Range(0, 12).Select(_ => random.Next(Kinds)));
            while (waiting.Count > 0 || open.Count > 0)
            {
                while (waiting.Count > 0 && open.Count < MaxRows && random.Next(2) == 0)
                {
                    var kind = waiting.Dequeue();
                    open.Add(new Part(kind, batched.Start(kinds[kind].Voice, kinds[kind].Streaming, Steps)));
                }
                if (Occurs("leave") && open.Count > 0 && random.Next(12) == 0)
                {
                    var leaver = open[random.Next(open.Count)];
                    leaver.State.Dispose();
                    open.Remove(leaver);
                    left++;
                }
                var rows = open.Where(_ => random.Next(3) > 0).Select(part => (Part: part, Row: part.Next(kinds[part.Kind], random))).ToArray();
                if (rows.Length == 0)
                    continue;
                batched.Run([.. rows.Select(each => each.Row)]);
                foreach (var (part, row) in rows)
                {
                    Assert.Null(row.Error);
                    part.Heard.Add((row.Mel?.cpu(), row.Tokens.Length, rows.Length, part.State.Policy));
                    recomputed += kinds[part.Kind].Streaming && part.State.Policy == FlowCachePolicy.Recompute ? 1 : 0;
                    if (!row.Final)
                        continue;
                    var difference = part.Difference(alone[part.Kind], out var where);
                    worst = Math.Max(worst, difference);
                    if (!(difference <= Tolerance))
                        wrong.Add($"round {round}, {(kinds[part.Kind].Streaming ? "streamed" : "whole")} {kinds[part.Kind].Tokens.Length} tokens "
                            + "behind "
                            + $"{voices[part.Kind % voices.Length].SpeechTokens.Length}: {difference:E1}, {where}");
                    part.State.Dispose();
                    open.Remove(part);
                    finished++;
                }
            }
            Assert.Equal(0, batched.CacheBytes);
        }
        output.WriteLine($"{what}: {finished} utterances, {left} left, {recomputed} passes without pages; largest difference {worst:E1}");
        foreach (var line in wrong.Take(8))
            output.WriteLine(line);
        Assert.True(wrong.Count == 0, $"{wrong.Count} of {finished} utterances differ, by up to {worst:E1}");
        Assert.True(Rehearsal || !Occurs("leave") || left > 0, "nobody left");
        Assert.True(Rehearsal || !Occurs("short") || recomputed > 0, "pages were never short");
        if (device.IsCuda)
            Assert.Equal(Occurs("captured"), ((DiTDeviceEstimator)batched.Estimator).Buffers.Any(buffers => buffers.Graph is not null));
    }

    private sealed record Utterance(TimbreFeatures Voice, int[] Tokens, bool Streaming);

    /// <summary>An utterance under way.</summary>
    private sealed record Part(int Kind, FlowState State)
    {
        private int _at;

        /// <summary>Of every pass: what was heard, how many tokens went in, how many rows it had, how the utterance got at its past.</summary>
        public List<(Tensor? Mel, int Tokens, int Rows, FlowCachePolicy Policy)> Heard { get; } = [];

        public FlowRow Next(Utterance utterance, Random random)
        {
            var rest = utterance.Tokens.Length - _at;
            var count = utterance.Streaming ? Math.Min(random.Next(1, 70), rest) : rest;
            _at += count;
            return new FlowRow { State = State, Tokens = utterance.Tokens.AsMemory(_at - count, count), Final = count == rest };
        }

        /// <returns>The largest, over the largest number of the mel.</returns>
        public double Difference(Tensor expected, out string where)
        {
            using var scope = NewDisposeScope();
            using var whole = cat([.. Heard.Where(pass => pass.Mel is not null).Select(pass => pass.Mel!)], 2);
            Assert.Equal(expected.shape, whole.shape);
            var scale = expected.abs().max().ToSingle();
            var differences = (expected - whole).abs().amax([0, 1]).div(scale); // [frames]
            var off = differences.gt(Tolerance).nonzero();
            where = (off.shape[0] == 0 ? "" : $"frames {off.min().ToInt64()} to {off.max().ToInt64()}, {off.shape[0]} of {whole.shape[2]}; ")
                + "passes (tokens, rows): "
                + string.Join(' ', Heard.Select(pass => $"{pass.Tokens},{pass.Rows}{(pass.Policy == FlowCachePolicy.Recompute ? "r" : "")}"));
            return differences.max().ToSingle();
        }
    }
}
