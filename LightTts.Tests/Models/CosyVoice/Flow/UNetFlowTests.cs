using LightTts.Models.CosyVoice.Flow;
using LightTts.Tests.Support;
using TorchSharp;
using static TorchSharp.torch;

namespace LightTts.Tests.Models.CosyVoice.Flow;

/// <summary>The laws of the flow (see <see cref="FlowTests"/>) on CosyVoice2's encoder and estimator, in the fixtures' model.</summary>
public sealed class UNetFlowTests
{
    private const double Tolerance = 1e-4;
    private const int Steps = 2;
    private const int Vocabulary = 400;

    [Theory]
    [InlineData(54, 90, 1)]
    [InlineData(20, 61, 2)]
    [InlineData(0, 57, 3)]
    public void Streamed_in_any_pieces_is_the_same_pass_run_whole(int prompt, int count, int seed)
    {
        using var scope = NewDisposeScope();
        using var flow = Flows.Golden("cv2");
        var random = new Random(seed);
        var (voice, tokens) = (Flows.Timbre(seed, prompt, Vocabulary), Flows.Tokens(random, count, Vocabulary));
        using var whole = flow.Start(voice, streaming: true, Steps, sharePrefix: false);
        var expected = flow.Run(whole, tokens, final: true)!;
        for (var round = 0; round < 3; round++)
        {
            using var state = flow.Start(voice, streaming: true, Steps, sharePrefix: round > 0);
            Flows.Near(expected, flow.Stream(state, tokens, Flows.Pieces(random, count)), Tolerance);
            Assert.InRange(state.FramesComputed, 1, (long)(1.1 * 2 * (prompt + count))); // each frame once
        }
        Assert.Equal(prompt >= 28, flow.PrefixBytes > 0);
        Assert.Equal(0, flow.CacheBytes);
    }

    [Fact]
    public void Without_caches_the_result_is_the_same()
    {
        using var scope = NewDisposeScope();
        using var flow = Flows.Golden("cv2");
        var (voice, tokens) = (Flows.Timbre(7, 30, Vocabulary), Flows.Tokens(new Random(7), 120, Vocabulary));
        using var cached = flow.Start(voice, streaming: true, Steps);
        using var recompute = flow.Start(voice, streaming: true, Steps, FlowCachePolicy.Recompute);
        var pieces = Enumerable.Repeat(1, 120).ToArray();
        Flows.Near(flow.Stream(cached, tokens, pieces), flow.Stream(recompute, tokens, pieces), Tolerance);
        Assert.Equal(100 + 200 + 300, recompute.FramesComputed);
    }

    [Fact]
    public void A_kept_frame_takes_what_the_estimator_says()
    {
        using var scope = NewDisposeScope();
        using var flow = Flows.Golden("cv2");
        using var state = flow.Start(Flows.Timbre(8, 0, Vocabulary), streaming: true, Steps);
        flow.Run(state, Flows.Tokens(new Random(8), 103, Vocabulary), final: false)!.Dispose();
        var said = 4 * Steps * flow.Estimator.Pages!.PageBytes; // four chunks of 50 frames
        Assert.InRange(state.CacheBytes, said, 2 * said); // tails of the convolutions and the encoder come on top
    }

    [Fact]
    public void Rows_in_company_are_what_they_are_alone()
    {
        using var scope = NewDisposeScope();
        using var flow = Flows.Golden("cv2");
        (int Prompt, int Count, bool Streaming)[] kinds = [(10, 40, false), (54, 33, true), (0, 25, true), (10, 41, false)];
        FlowRow[] Rows() => [.. kinds.Select((kind, i) => new FlowRow
        {
            State = flow.Start(Flows.Timbre(20 + i, kind.Prompt, Vocabulary), kind.Streaming, Steps),
            Tokens = Flows.Tokens(new Random(30 + i), kind.Count, Vocabulary),
            Final = true,
        })];
        var rows = Rows();
        flow.Run(rows);
        foreach (var (row, alone) in rows.Zip(Rows()))
        {
            flow.Run([alone]);
            Assert.Null(row.Error);
            Flows.Near(alone.Mel!, row.Mel!, Tolerance);
            row.State.Dispose();
            alone.State.Dispose();
        }
    }

    [Fact]
    public void In_bfloat16_the_mel_is_close_to_the_exact_one()
    {
        using var scope = NewDisposeScope();
        using var exact = Flows.Golden("cv2");
        using var half = Flows.Golden("cv2", ScalarType.BFloat16);
        var (voice, tokens) = (Flows.Timbre(11, 54, Vocabulary), Flows.Tokens(new Random(11), 60, Vocabulary));
        foreach (var streaming in (bool[])[false, true])
        {
            using var a = exact.CreateState(voice, streaming, Steps);
            using var b = half.CreateState(voice, streaming, Steps);
            var (expected, actual) = (exact.Run(a, tokens, final: true)!, half.Run(b, tokens, final: true)!);
            var error = (expected - actual).pow(2).mean().sqrt().ToSingle() / expected.std().ToSingle();
            Assert.InRange(error, 1e-6, 0.05);
        }
    }
}
