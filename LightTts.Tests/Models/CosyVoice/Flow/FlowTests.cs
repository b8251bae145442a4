using LightTts.Models.CosyVoice;
using LightTts.Models.CosyVoice.Flow;
using LightTts.Tests.Support;
using TorchSharp;
using static TorchSharp.torch;

namespace LightTts.Tests.Models.CosyVoice.Flow;

/// <summary>Laws of the flow on the embedded voice: streamed is whole, batched is alone,
/// cached is recomputed; nothing is computed twice and everything is freed.</summary>
public sealed class FlowTests
{
    private const double Tolerance = 1e-4;
    private const int Steps = 2;

    [Theory]
    [InlineData(54, 90, 1)]
    [InlineData(20, 61, 2)]
    [InlineData(0, 57, 3)]
    public void Streamed_in_any_pieces_is_the_same_pass_run_whole(int prompt, int count, int seed)
    {
        using var scope = NewDisposeScope();
        using var flow = Flows.TinyEn();
        var random = new Random(seed);
        var (voice, tokens) = (Flows.Timbre(seed, prompt), Flows.Tokens(random, count));
        using var whole = flow.Start(voice, streaming: true, Steps, sharePrefix: false);
        var expected = flow.Run(whole, tokens, final: true)!;
        Assert.Equal(2 * count, expected.shape[2]);
        Assert.Equal(2 * (prompt + count), whole.FramesComputed);
        for (var round = 0; round < 3; round++)
        {
            using var state = flow.Start(voice, streaming: true, Steps, sharePrefix: round > 0);
            Flows.Near(expected, flow.Stream(state, tokens, Flows.Pieces(random, count)), Tolerance);
            Assert.InRange(state.FramesComputed, 1, (long)(1.1 * 2 * (prompt + count)));
            Assert.Equal(0, state.CacheBytes);
        }
        Assert.Equal(0, flow.CacheBytes);
    }

    [Fact]
    public void A_shared_prompt_is_computed_once_for_all_utterances()
    {
        using var scope = NewDisposeScope();
        using var flow = Flows.TinyEn();
        var (voice, tokens) = (Flows.Timbre(5, 54), Flows.Tokens(new Random(5), 30));
        using var alone = flow.Start(voice, streaming: true, Steps, sharePrefix: false);
        var expected = flow.Run(alone, tokens, final: true)!;
        var before = flow.FramesComputed;
        for (var utterance = 0; utterance < 2; utterance++)
        {
            using var state = flow.Start(voice, streaming: true, Steps);
            Assert.Equal(24, state.TokensWanted); // 50 prompt tokens are done, the chunk to 75 needs 3 more to look at
            Flows.Near(expected, flow.Stream(state, tokens, [24, 6]), Tolerance);
        }
        Assert.Equal(before + 100 + 2 * (168 - 100), flow.FramesComputed);
        Assert.True(flow.PrefixBytes > 0);
    }

    [Fact]
    public void A_prefix_that_was_pushed_out_lives_as_long_as_a_state_needs_it()
    {
        using var scope = NewDisposeScope();
        using var flow = Flows.TinyEn(new FlowOptions(PrefixBudget: 1));
        var (voice, tokens) = (Flows.Timbre(6, 40), Flows.Tokens(new Random(6), 30));
        using var alone = flow.Start(voice, streaming: true, Steps, sharePrefix: false);
        using var state = flow.Start(voice, streaming: true, Steps);
        Assert.Equal(0, flow.PrefixBytes);
        Flows.Near(flow.Run(alone, tokens, final: true)!, flow.Run(state, tokens, final: true)!, Tolerance);
    }

    [Fact]
    public void Without_caches_the_result_is_the_same_in_rarer_passes()
    {
        using var scope = NewDisposeScope();
        using var flow = Flows.TinyEn();
        var (voice, tokens) = (Flows.Timbre(7, 30), Flows.Tokens(new Random(7), 120));
        using var cached = flow.Start(voice, streaming: true, Steps);
        using var recompute = flow.Start(voice, streaming: true, Steps, FlowCachePolicy.Recompute);
        var pieces = Enumerable.Repeat(1, 120).ToArray();
        var expected = flow.Stream(cached, tokens, pieces);
        Flows.Near(expected, flow.Stream(recompute, tokens, pieces), Tolerance);
        Assert.Equal(100 + 200 + 300, recompute.FramesComputed); // to token 50, to 100, then the end at 150
    }

    [Fact]
    public void An_utterance_over_the_memory_budget_goes_on_without_caches()
    {
        using var scope = NewDisposeScope();
        using var flow = Flows.TinyEn(new FlowOptions(CacheBudget: 8 << 20));
        var (voice, tokens) = (Flows.Timbre(8, 10), Flows.Tokens(new Random(8), 110));
        using var state = flow.Start(voice, streaming: true, Steps);
        var first = flow.Run(state, tokens.AsMemory(0, 20), final: false)!;
        Assert.InRange(flow.CacheBytes, 1, 8 << 20);
        var second = flow.Run(state, tokens.AsMemory(20, 70), final: false)!;
        Assert.Equal(FlowCachePolicy.Recompute, state.Policy);
        Assert.Equal(0, flow.CacheBytes);
        var rest = flow.Run(state, tokens.AsMemory(90), final: true)!;
        using var whole = flow.Start(voice, streaming: true, Steps, FlowCachePolicy.Recompute);
        Flows.Near(flow.Run(whole, tokens, final: true)!, cat([first, second, rest], 2), Tolerance);
    }

    [Fact]
    public void Without_room_for_any_cache_a_voice_with_a_long_prompt_still_speaks()
    {
        using var scope = NewDisposeScope();
        using var flow = Flows.TinyEn(new FlowOptions(CacheBudget: 1));
        using var state = flow.Start(Flows.Timbre(12, 54), streaming: true, Steps);
        Assert.Equal(40, flow.Stream(state, new int[20], [20]).shape[2]);
        Assert.Equal((0, 0), (flow.CacheBytes, flow.PrefixBytes));
    }

    [Fact]
    public void Rows_of_a_batch_are_what_they_are_alone()
    {
        using var scope = NewDisposeScope();
        using var flow = Flows.TinyEn();
        (int Prompt, int Count, bool Streaming, int Steps)[] kinds = [(10, 40, false, 2), (54, 33, true, 2), (0, 25, true, 2), (10, 40, false, 1)];
        List<Tensor> alone = [];
        foreach (var row in Rows(flow, kinds))
        {
            flow.Run([row]);
            alone.Add(row.Mel!);
            row.State.Dispose();
        }
        var rows = Rows(flow, kinds);
        flow.Run(rows);
        foreach (var (row, expected) in rows.Zip(alone))
        {
            Assert.Null(row.Error);
            Flows.Near(expected, row.Mel!, Tolerance);
            TestContext.Current.TestOutputHelper?.WriteLine($"batched differs from alone by {Flows.Difference(expected, row.Mel!):g3}");
            row.State.Dispose();
        }
    }

    /// <summary>Utterances that begin, go on and end, whole and streamed, in one call of the encoder.</summary>
    [Theory]
    [InlineData("cv2")]
    [InlineData("cv3")]
    public void The_encoder_gives_rows_in_company_what_it_gives_them_alone(string model)
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        using var flow = Flows.Golden(model);
        FlowTokens Row(int seed, int count, bool final, bool streaming, FlowTail? tail = null) =>
            new(Flows.Tokens(new Random(seed), count, 128), final, streaming, tail);
        (Tensor Mu, FlowTail Tail) Alone(FlowTokens row) => flow.Encoder.Encode([row])[0];
        using var first = Alone(Row(1, 28, final: false, streaming: true)).Tail;
        using var second = Alone(Row(2, 53, final: false, streaming: true)).Tail;
        FlowTokens[] rows =
        [
            Row(3, 28, final: false, streaming: true, first), Row(4, 61, final: true, streaming: false),
            Row(5, 1, final: true, streaming: true, second), Row(6, 28, final: false, streaming: true),
            Row(7, 78, final: false, streaming: true, second), Row(8, 9, final: true, streaming: true, first),
        ];
        const double tolerance = 2e-6; // products of more rows are added up in another order: by how much is the processor's
        foreach (var (row, (mu, tail)) in rows.Zip(flow.Encoder.Encode(rows)))
        {
            var (expected, expectedTail) = Alone(row);
            Flows.Near(expected, mu, tolerance);
            if (row is { Final: false })
                Flows.Near(expectedTail[0], tail[0], tolerance);
            tail.Dispose();
            expectedTail.Dispose();
        }
    }

    [Fact]
    public void A_row_that_fails_does_not_take_the_others_with_it()
    {
        using var scope = NewDisposeScope();
        using var flow = Flows.TinyEn();
        var voice = Flows.Timbre(9, 10);
        using var good = flow.Start(voice, streaming: false, Steps);
        using var bad = flow.Start(voice, streaming: false, Steps);
        using var huge = flow.Start(voice, streaming: false, Steps);
        FlowRow[] rows =
        [
            new() { State = bad, Tokens = new[] { 6561 }, Final = true },
            new() { State = good, Tokens = new[] { 1, 2, 3 }, Final = true },
            new() { State = huge, Tokens = new int[7500], Final = true },
        ];
        flow.Run(rows);
        Assert.NotNull(rows[0].Error);
        Assert.Equal([1, 80, 6], rows[1].Mel!.shape);
        Assert.Contains("15000", Assert.IsType<TtsRequestException>(rows[2].Error).Message);
    }

    [Fact]
    public void Disposing_a_state_frees_its_caches_and_ending_without_tokens_gives_nothing()
    {
        using var scope = NewDisposeScope();
        using var flow = Flows.TinyEn();
        var state = flow.Start(Flows.Timbre(10, 10), streaming: true, Steps);
        Assert.NotNull(flow.Run(state, new int[20], final: false));
        Assert.True(state.CacheBytes > 0);
        Assert.Equal(state.CacheBytes, flow.CacheBytes);
        state.Dispose();
        Assert.Equal(0, flow.CacheBytes);
        using var silent = flow.Start(Flows.Timbre(10, 10), streaming: false, Steps);
        Assert.Equal(int.MaxValue, silent.TokensWanted);
        Assert.Null(flow.Run(silent, default, final: true));
    }

    [Fact]
    public void In_bfloat16_the_mel_is_close_to_the_exact_one()
    {
        using var scope = NewDisposeScope();
        using var exact = Flows.TinyEn();
        using var half = Flows.TinyEn(compute: ScalarType.BFloat16);
        var (voice, tokens) = (Flows.Timbre(11, 54), Flows.Tokens(new Random(11), 60));
        foreach (var streaming in (bool[])[false, true])
        {
            using var a = exact.CreateState(voice, streaming, Steps);
            using var b = half.CreateState(voice, streaming, Steps);
            var (expected, actual) = (exact.Run(a, tokens, final: true)!, half.Run(b, tokens, final: true)!);
            var error = (expected - actual).pow(2).mean().sqrt().ToSingle() / expected.std().ToSingle();
            Assert.InRange(error, 0, 0.05);
        }
    }

    private static FlowRow[] Rows(FlowModel flow, (int Prompt, int Count, bool Streaming, int Steps)[] kinds) =>
        [.. kinds.Select((kind, i) => new FlowRow
        {
            State = flow.Start(Flows.Timbre(20 + i, kind.Prompt), kind.Streaming, kind.Steps),
            Tokens = Flows.Tokens(new Random(30 + i), kind.Count),
            Final = true,
        })];
}
