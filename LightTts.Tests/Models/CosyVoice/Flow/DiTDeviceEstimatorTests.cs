using LightTts.Models.CosyVoice.Flow;
using LightTts.Models.CosyVoice.Flow.DiT;
using LightTts.Tests.Support;
using LightTts.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace LightTts.Tests.Models.CosyVoice.Flow;

/// <summary>The estimator that GPUs have, on the CPU: batches of few shapes, padded, give what the plain one gives utterance by utterance, whatever
/// lies in the padding.</summary>
public sealed class DiTDeviceEstimatorTests
{
    private const double Tolerance = 1e-5; // of the largest number of a mel
    private const int Steps = 3;
    private const int Vocabulary = 512; // of the fixtures' model

    /// <summary>Whole and streamed utterances of all kinds in one pass against each alone in the plain one.</summary>
    [Fact]
    public void Rows_of_all_kinds_in_one_pass()
    {
        using var scope = NewDisposeScope();
        using var plain = Flows.Plain(golden: true);
        using var batched = Flows.Batched(golden: true);
        (int Prompt, int Count, bool Streaming, FlowCachePolicy Policy)[] kinds =
        [
            (10, 40, false, FlowCachePolicy.Cached), (54, 33, true, FlowCachePolicy.Cached), (0, 25, true, FlowCachePolicy.Recompute),
            (12, 41, false, FlowCachePolicy.Cached), (30, 7, true, FlowCachePolicy.Recompute), (40, 90, true, FlowCachePolicy.Cached),
            (10, 160, false, FlowCachePolicy.Cached),
        ];
        FlowRow[] Rows(FlowModel flow) => [.. kinds.Select((kind, i) => new FlowRow
        {
            State = flow.Start(Flows.Timbre(20 + i, kind.Prompt, Vocabulary), kind.Streaming, Steps, kind.Policy),
            Tokens = Flows.Tokens(new Random(30 + i), kind.Count, Vocabulary),
            Final = true,
        })];
        var alone = Rows(plain);
        foreach (var row in alone)
            plain.Run([row]);
        var company = Rows(batched);
        Poison(batched);
        batched.Run(company);
        foreach (var (expected, row) in alone.Zip(company))
        {
            Assert.Null(row.Error);
            Near(expected.Mel!, row.Mel!);
            expected.State.Dispose();
            row.State.Dispose();
        }
        Assert.Equal(0, batched.CacheBytes);
    }

    /// <summary>Whole utterances of about the same length, a shorter one before a longer one: one batch.</summary>
    [Fact]
    public void Whole_utterances_in_one_batch()
    {
        using var scope = NewDisposeScope();
        using var plain = Flows.Plain(golden: true);
        using var batched = Flows.Batched(golden: true);
        FlowRow[] Rows(FlowModel flow) => [.. ((int[])[62, 80, 70]).Select((count, i) => new FlowRow
        {
            State = flow.Start(Flows.Timbre(40 + i, 10, Vocabulary), streaming: false, Steps),
            Tokens = Flows.Tokens(new Random(i), count, Vocabulary),
            Final = true,
        })];
        var (alone, company) = (Rows(plain), Rows(batched));
        foreach (var row in alone)
            plain.Run([row]);
        batched.Run(company);
        Assert.Single(((DiTDeviceEstimator)batched.Estimator).Buffers);
        foreach (var (expected, row) in alone.Zip(company))
        {
            Assert.Null(row.Error);
            Near(expected.Mel!, row.Mel!);
            expected.State.Dispose();
            row.State.Dispose();
        }
    }

    /// <summary>Utterances of many lengths, each of which has a shape of its own, do not leave memory behind for each; two passes that are open at
    /// once keep theirs.</summary>
    [Fact]
    public void Whole_utterances_of_many_lengths()
    {
        using var scope = NewDisposeScope();
        using var batched = Flows.Batched(golden: true);
        FlowRow Row(int count) => new()
        {
            State = batched.Start(Flows.Timbre(3, 10, Vocabulary), streaming: false, 2), Tokens = Flows.Tokens(new Random(count), count, Vocabulary),
            Final = true,
        };
        FlowRow[] rows = [.. ((int[])[20, 60, 100, 140, 180]).Select(Row)];
        var passes = rows[..2].Select(row => batched.Begin([row])).ToArray();
        Assert.All(passes, pass => Assert.True(pass.Advance())); // of two steps the first
        Assert.Equal(2, ((DiTDeviceEstimator)batched.Estimator).Buffers.Count());
        Assert.All(passes, pass => Assert.False(pass.Advance()));
        foreach (var pass in passes)
            pass.Dispose();
        foreach (var row in rows[2..])
        {
            batched.Run([row]);
            Assert.Single(((DiTDeviceEstimator)batched.Estimator).Buffers);
        }
        foreach (var row in rows)
        {
            Assert.Null(row.Error);
            row.State.Dispose();
        }
    }

    /// <summary>Several streams in step and out of step, with shared prompts, over pages that others used before.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Streams_that_join_and_leave(int seed)
    {
        const int streams = 7;
        using var scope = NewDisposeScope();
        using var plain = Flows.Plain(golden: true);
        using var batched = Flows.Batched(golden: true);
        var random = new Random(seed);
        var voices = Enumerable.Range(0, 3).Select(i => Flows.Timbre(seed + i, 18 * i, Vocabulary)).ToArray();
        (int Voice, int[] Tokens)[] texts = [.. Enumerable.Range(0, streams).Select(i =>
            (random.Next(voices.Length), Flows.Tokens(random, random.Next(20, 130), Vocabulary)))];
        var expected = texts.Select(text =>
        {
            using var state = plain.Start(voices[text.Voice], streaming: true, Steps, sharePrefix: false);
            return plain.Run(state, text.Tokens, final: true)!;
        }).ToArray();
        for (var round = 0; round < 2; round++)
        {
            var states = new FlowState?[streams];
            var heard = texts.Select(_ => new List<Tensor>()).ToArray();
            var done = new int[streams];
            while (done.Zip(texts).Any(pair => pair.First < pair.Second.Tokens.Length))
            {
                List<(int Stream, FlowRow Row)> rows = [];
                for (var i = 0; i < streams; i++)
                {
                    if (done[i] == texts[i].Tokens.Length || random.Next(3) == 0)
                        continue;
                    states[i] ??= batched.Start(voices[texts[i].Voice], streaming: true, Steps);
                    var count = Math.Min(random.Next(1, 70), texts[i].Tokens.Length - done[i]);
                    var part = texts[i].Tokens.AsMemory(done[i], count);
                    done[i] += count;
                    rows.Add((i, new FlowRow { State = states[i]!, Tokens = part, Final = done[i] == texts[i].Tokens.Length }));
                }
                Poison(batched);
                batched.Run([.. rows.Select(each => each.Row)]);
                foreach (var (stream, row) in rows)
                {
                    Assert.Null(row.Error);
                    if (row.Mel is { } mel)
                        heard[stream].Add(mel);
                    if (row.Final)
                        states[stream]!.Dispose();
                }
            }
            for (var i = 0; i < streams; i++)
                Near(expected[i], cat(heard[i], 2));
            Assert.Equal(0, batched.CacheBytes);
        }
        Assert.InRange(((DiTDeviceEstimator)batched.Estimator).Buffers.Count(), 1, 40);
    }

    /// <summary>Passes that are open side by side use the same buffers in turn.</summary>
    [Fact]
    public void Passes_side_by_side()
    {
        using var scope = NewDisposeScope();
        using var plain = Flows.Plain(golden: true);
        using var batched = Flows.Batched(golden: true);
        FlowRow Row(FlowModel flow, int seed, bool streaming) => new()
        {
            State = flow.Start(Flows.Timbre(seed, 20, Vocabulary), streaming, Steps),
            Tokens = Flows.Tokens(new Random(seed), 20, Vocabulary),
            Final = true,
        };
        foreach (var streaming in (bool[])[false, true])
        {
            FlowRow[] rows = [Row(batched, 1, streaming), Row(batched, 2, streaming)];
            var passes = rows.Select(row => batched.Begin([row])).ToArray();
            var open = true;
            while (open)
                open = passes.Select(pass => pass.Advance()).ToArray().Contains(true);
            foreach (var (row, i) in rows.Select((row, i) => (row, i)))
            {
                passes[i].Dispose();
                var alone = Row(plain, i + 1, streaming);
                plain.Run([alone]);
                Assert.Null(row.Error);
                Near(alone.Mel!, row.Mel!);
                row.State.Dispose();
                alone.State.Dispose();
            }
        }
    }

    /// <summary>Where there is no memory for any page, passes are computed in working memory alone.</summary>
    [Fact]
    public void Without_any_page()
    {
        using var scope = NewDisposeScope();
        using var plain = Flows.Plain();
        using var batched = Flows.Batched(options: new FlowOptions(CacheBudget: 1));
        var (voice, tokens) = (Flows.Timbre(8, 40), Flows.Tokens(new Random(8), 60));
        using var expected = plain.Start(voice, streaming: true, Steps, sharePrefix: false);
        using var state = batched.Start(voice, streaming: true, Steps);
        Near(plain.Run(expected, tokens, final: true)!, batched.Stream(state, tokens, [30, 20, 10]));
        Assert.Equal(0, batched.Estimator.Pages!.Capacity);
    }

    [Theory]
    [InlineData("mel.offline", false)]
    [InlineData("mel.stream_full", true)]
    public void It_is_the_references(string name, bool streaming)
    {
        using var scope = NewDisposeScope();
        using var file = SafetensorsFile.Open(Repo.Golden("main/flow_cv3.safetensors"));
        using var flow = Flows.Batched(golden: true);
        var tokens = Flows.Ints(file, "token");
        using var state = flow.Start(Flows.Timbre(file, "prompt_token", "prompt_feat", "embedding"), streaming, 10);
        var mel = streaming ? flow.Stream(state, tokens, [28, tokens.Length - 28]) : flow.Run(state, tokens, final: true)!;
        Flows.Near(Flows.Fixture(file, name), mel, 1e-4);
    }

    [Fact]
    public void In_bfloat16_the_mel_is_close_to_the_exact_one()
    {
        using var scope = NewDisposeScope();
        using var exact = Flows.Plain();
        using var half = Flows.Batched(compute: ScalarType.BFloat16);
        var (voice, tokens) = (Flows.Timbre(11, 20), Flows.Tokens(new Random(11), 30));
        foreach (var streaming in (bool[])[false, true])
        {
            using var a = exact.CreateState(voice, streaming, Steps);
            using var b = half.CreateState(voice, streaming, Steps);
            var (expected, actual) = (exact.Run(a, tokens, final: true)!, half.Run(b, tokens, final: true)!);
            var error = (expected - actual).pow(2).mean().sqrt().ToSingle() / expected.std().ToSingle();
            TestContext.Current.TestOutputHelper?.WriteLine($"streaming {streaming}: {error:g3}");
            Assert.InRange(error, 0, 0.05);
        }
    }

    /// <summary>Fills what no pass may read with what would be seen: free pages and everything in the buffers that a pass puts there.</summary>
    private static void Poison(FlowModel flow)
    {
        using var inference = inference_mode();
        var estimator = (DiTDeviceEstimator)flow.Estimator;
        foreach (var buffers in estimator.Buffers)
        {
            buffers.Owner = null;
            foreach (var tensor in (Tensor[])[buffers.Mel, buffers.Constant[0], buffers.Rotations, buffers.Mask, buffers.Velocity])
                tensor.fill_(double.NaN);
        }
        var pool = estimator.Pages;
        pool.Allocate();
        var free = new int[pool.Available];
        Assert.True(pool.TryTake(free));
        foreach (var page in free)
            pool.Table[page].fill_(double.NaN);
        pool.Release(free);
        for (var page = pool.Capacity + 1; page < pool.Table.shape[0]; page++)
            pool.Table[page].fill_(double.NaN);
    }

    private static void Near(Tensor expected, Tensor actual)
    {
        Assert.Equal(expected.shape, actual.shape);
        var difference = Flows.Difference(expected, actual) / expected.abs().max().ToSingle();
        TestContext.Current.TestOutputHelper?.WriteLine($"{difference:g3}");
        Assert.True(difference <= Tolerance, $"differs by {difference:g3}");
    }
}
