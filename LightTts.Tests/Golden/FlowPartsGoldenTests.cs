using LightTts.Models.CosyVoice;
using LightTts.Models.CosyVoice.Flow;
using LightTts.Models.CosyVoice.Flow.DiT;
using LightTts.Tests.Support;
using LightTts.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace LightTts.Tests.Golden;

/// <summary>The estimator's and the encoder's modules, one by one, against the
/// reference's. The fixture gives each guidance row inputs of its own, as the reference
/// would not; so each is run as a conditional row.</summary>
public sealed class FlowPartsGoldenTests
{
    private const double Tolerance = 5e-5;
    private const int Frames = 75;

    [Fact]
    public void The_estimator_is_the_references()
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        using var file = SafetensorsFile.Open(Repo.Golden("main/flow_parts.safetensors"));
        using var flow = Flows.Plain(golden: true);
        var estimator = (DiTEstimator)flow.Estimator;
        using var scratch = new FlowScratch();
        var weights = estimator.Weights;
        var time = DiTSchedule.TimeEmbedding(weights, Flows.Fixture(file, "dit.t"));
        Flows.Near(Flows.Fixture(file, "dit.time_embed"), time, Tolerance);
        var step = Step(weights, time.narrow(0, 0, 1));
        for (var row = 0; row < 2; row++)
        {
            var x = Row(file, "dit.x", row);
            foreach (var chunk in (int[])[0, 50])
            {
                FlowSegment[] segments = [Segment(file, row, chunk)];
                var inputs = DiTInputs.Prepare(weights, segments);
                var h = estimator.Embed(x, inputs, segments, 0);
                Flows.Near(Flows.Fixture(file, "dit.input_embed")[row], h[0], Tolerance);
                if (chunk > 0)
                {
                    var stream = h.view(-1, weights.Config.Dim);
                    estimator.Block(stream, inputs.Rotations, segments, step.Blocks[0], 0, 0, scratch);
                    Flows.Near(Flows.Fixture(file, "dit.block0_streaming")[row], stream.narrow(0, 0, Frames), Tolerance);
                }
                var velocity = estimator.Velocity(x, inputs, segments, step, 0, scratch)[0];
                Flows.Near(Flows.Fixture(file, chunk > 0 ? "dit.out_streaming" : "dit.out_offline")[row], velocity.t(), Tolerance);
            }
        }
    }

    [Theory]
    [InlineData("pre_lookahead.final", true)]
    [InlineData("pre_lookahead.with_context", false)]
    public void The_token_encoder_is_the_references_whole_and_in_pieces(string expected, bool final)
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        using var file = SafetensorsFile.Open(Repo.Golden("main/flow_parts.safetensors"));
        using var flow = Flows.Golden();
        var layer = ((PreLookaheadEncoder)flow.Encoder).Layer;
        var input = Flows.Fixture(file, "pre_lookahead.in")[0];
        var whole = Flows.Fixture(file, expected)[0];
        (Tensor Encoded, Tensor[] Tails) Encode(params (int At, int Count, bool Final, FlowTail? Tail)[] parts)
        {
            using var places = layer.Arrange([.. parts.Select(part => new FlowTokens(new int[part.Count], part.Final, Streaming: true, part.Tail))]);
            return layer.Encode(cat([.. parts.Select(part => input.narrow(0, part.At, part.Count))], 0), places);
        }
        Flows.Near(whole, Encode((0, 40, final, null)).Encoded, Tolerance);
        var (first, tails) = Encode((0, 14, false, null));
        using var tail = new FlowTail(tails);
        // In company, the rest between utterances that begin and that end.
        var together = Encode((5, 9, true, null), (11, 29, final, tail), (0, 40, final, null)).Encoded;
        Flows.Near(whole, cat([first, together.narrow(0, 9, whole.shape[0] - 11)], 0), Tolerance);
        Flows.Near(whole, together.narrow(0, together.shape[0] - whole.shape[0], whole.shape[0]), Tolerance);
    }

    private static FlowSegment Segment(SafetensorsFile file, int row, int chunk) => new()
    {
        Start = 0,
        Count = Frames,
        Chunk = chunk,
        Mu = Row(file, "dit.mu", row),
        Condition = Row(file, "dit.cond", row),
        Speaker = Flows.Fixture(file, "dit.spks").narrow(0, row, 1),
    };

    /// <summary>Modulation at one time, from the weights directly.</summary>
    private static DiTStep Step(DiTWeights weights, Tensor time)
    {
        var silu = nn.functional.silu(time);
        var final = weights.FinalModulation.Apply(silu)[0].chunk(2, 0);
        return new DiTStep(
            [.. weights.Blocks.Select(block =>
            {
                var p = block.Modulation.Apply(silu)[0].chunk(6, 0);
                return new DiTModulation(p[0], p[1] + 1, p[2], p[3], p[4] + 1, p[5]);
            })],
            final[0] + 1, final[1]);
    }

    /// <summary>[2, 80, n] -> row's [n, 80]</summary>
    private static Tensor Row(SafetensorsFile file, string name, int row) => Flows.Fixture(file, name)[row].t().contiguous();
}
