using LightTts.Models.CosyVoice.Flow;
using LightTts.Models.CosyVoice.Flow.DiT;
using LightTts.Tests.Support;
using LightTts.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace LightTts.Tests.Models.CosyVoice.Flow;

/// <summary>Norm and modulation taken apart, as own kernels compute them, against layer norm and product.</summary>
public sealed class DiTFoldTests
{
    [Fact]
    public void It_is_norm_modulation_and_product()
    {
        const double eps = 1e-6;
        using var scope = NewDisposeScope();
        using var flow = Flows.Batched(compute: ScalarType.BFloat16); // whose products are libtorch's on every processor
        var weights = ((DiTDeviceEstimator)flow.Estimator).Weights;
        using var schedule = new DiTSchedule(weights, FlowTimes.Cosine(3), fold: true);
        Assert.Equal(DiTStep.Width(weights.Blocks.Length, weights.Config.Dim) + DiTFold.Width(weights), schedule.Table.shape[1]);
        var h = randn(5, weights.Config.Dim, generator: new Generator(1)) * 2 + 0.5;
        var mean = h.mean([1], keepdim: true);
        var deviation = ((h - mean).square().mean([1], keepdim: true) + eps).sqrt();
        for (var step = 0; step < 3; step++)
            for (var i = 0; i < weights.Blocks.Length; i++)
            {
                var (slope1, offset1, slope2, offset2) = DiTFold.Places(weights, i);
                var own = schedule.Steps[step].Blocks[i];
                Check(step, weights.Blocks[i].Qkv, own.Scale1, own.Shift1, slope1, offset1);
                Check(step, weights.Blocks[i].Up, own.Scale2, own.Shift2, slope2, offset2);
            }

        void Check(int step, Linear linear, Tensor scale, Tensor shift, long slope, long offset)
        {
            var (weight, bias) = (((TorchLinear)linear).Weight.to(ScalarType.Float32), ((TorchLinear)linear).Bias!.to(ScalarType.Float32));
            Tensor Column(long at) => schedule.Table[step].narrow(0, at, linear.Outputs);
            var expected = nn.functional.linear(nn.functional.layer_norm(h, [h.shape[1]], scale, shift, eps), weight, bias);
            var actual = (nn.functional.linear(h * scale, weight) - mean * Column(slope)) / deviation + Column(offset);
            Assert.InRange(Flows.Difference(expected, actual), 0, 1e-5 * expected.abs().max().ToSingle());
        }
    }
}
