using LightTts.Models.CosyVoice.Flow;
using LightTts.Models.CosyVoice.Flow.Conformer;
using LightTts.Models.CosyVoice.Flow.UNet;
using LightTts.Tests.Support;
using LightTts.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace LightTts.Tests.Golden;

/// <summary>CosyVoice2's encoder and estimator, each alone, against the reference's. The fixture gives each guidance row inputs of its own, as the
/// reference would not; so each is run as a conditional row.</summary>
public sealed class ConformerUNetGoldenTests
{
    private const double Tolerance = 5e-5;
    private const int Frames = 75;

    [Theory]
    [InlineData("unet.out_offline", 0)]
    [InlineData("unet.out_streaming", 50)]
    public void The_estimator_is_the_references(string expected, int chunk)
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        using var file = SafetensorsFile.Open(Repo.Golden("main/flow_parts.safetensors"));
        using var flow = Flows.Golden("cv2");
        var estimator = (UNetEstimator)flow.Estimator;
        using var schedule = new UNetSchedule(estimator.Weights, Flows.Fixture(file, "dit.t").narrow(0, 0, 1));
        for (var row = 0; row < 2; row++)
        {
            FlowSegment[] segments =
            [
                new()
                {
                    Start = 0,
                    Count = Frames,
                    Chunk = chunk,
                    Mu = Row(file, "dit.mu", row),
                    Condition = Row(file, "dit.cond", row),
                    Speaker = Flows.Fixture(file, "dit.spks").narrow(0, row, 1),
                },
            ];
            using var scratch = new FlowScratch();
            var velocity = estimator.Velocity(Row(file, "dit.x", row), UNetEstimator.Constant(segments), segments, schedule, 0, scratch);
            Flows.Near(Flows.Fixture(file, expected)[row], velocity[0].t(), Tolerance);
        }
    }

    [Theory]
    [InlineData("enc2.offline", true, false)]
    [InlineData("enc2.streaming", true, true)]
    [InlineData("enc2.streaming_context", false, true)]
    public void The_encoder_is_the_references(string expected, bool final, bool streaming)
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        using var file = SafetensorsFile.Open(Repo.Golden("main/flow_parts.safetensors"));
        using var flow = Flows.Golden("cv2");
        var encoder = (ConformerEncoder)flow.Encoder;
        var input = Flows.Fixture(file, "enc2.in")[0];
        Flows.Near(Flows.Fixture(file, "enc2.embed")[0], encoder.Embed(input), Tolerance);
        using var places = encoder.Arrange(new FlowTokens(new int[input.shape[0]], final, streaming, null));
        var (encoded, tail) = encoder.Encode(input, places);
        tail.Dispose();
        Flows.Near(Flows.Fixture(file, expected)[0], encoded, Tolerance);
    }

    /// <summary>A piece ends with a chunk, and has three tokens more to look at.</summary>
    [Theory]
    [InlineData("enc2.streaming", true)]
    [InlineData("enc2.streaming_context", false)]
    public void The_encoder_in_pieces_is_the_references(string expected, bool final)
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        using var file = SafetensorsFile.Open(Repo.Golden("main/flow_parts.safetensors"));
        using var flow = Flows.Golden("cv2");
        var encoder = (ConformerEncoder)flow.Encoder;
        var input = Flows.Fixture(file, "enc2.in")[0];
        (Tensor, FlowTail) Encode(int at, int count, bool last, FlowTail? tail)
        {
            using var places = encoder.Arrange(new FlowTokens(new int[count], last, Streaming: true, tail));
            return encoder.Encode(input.narrow(0, at, count), places);
        }
        var (first, tail1) = Encode(0, 28, last: false, null);
        var (second, tail2) = Encode(25, 28, last: false, tail1);
        var (rest, tail3) = Encode(50, 10, final, tail2);
        Assert.InRange(tail2.Bytes, tail1.Bytes + 1, 2 * tail1.Bytes);
        foreach (var tail in (FlowTail[])[tail1, tail2, tail3])
            tail.Dispose();
        Assert.Equal((50, 50), (first.shape[0], second.shape[0]));
        Flows.Near(Flows.Fixture(file, expected)[0], cat([first, second, rest], 0), Tolerance);
    }

    /// <summary>[2, 80, n] -> row's [n, 80]</summary>
    private static Tensor Row(SafetensorsFile file, string name, int row) => Flows.Fixture(file, name)[row].t().contiguous();
}
