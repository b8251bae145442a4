using LightTts.Cpu;
using LightTts.Tests.Support;
using LightTts.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace LightTts.Tests.Torch;

/// <summary>The ways to keep and multiply weights: the same product, whatever the shapes, and each frees what it takes over.</summary>
public sealed class LinearTests
{
    public static TheoryData<int, int, int, bool> Shapes =>
        new() { { 1, 48, 64, true }, { 7, 33, 16, false }, { 100, 80, 20, true }, { 0, 8, 16, true } };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Every_way_gives_the_product(int rows, int inputs, int outputs, bool withBias)
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        var (weight, bias) = (randn(outputs, inputs), withBias ? randn(outputs) : null);
        var x = randn(2, rows, inputs);
        var expected = matmul(x.to(ScalarType.Float64), weight.to(ScalarType.Float64).t());
        if (bias is not null)
            expected = expected + bias.to(ScalarType.Float64);
        foreach (var (make, tolerance) in Ways())
        {
            using var layer = make(weight.clone(), bias?.clone());
            Assert.Equal((inputs, outputs), (layer.Inputs, layer.Outputs));
            var y = layer.Apply(x);
            Assert.Equal([2, rows, outputs], y.shape);
            Assert.Equal(layer.Compute, y.dtype);
            if (rows > 0)
                Flows.Near(expected.to(ScalarType.Float32), y.to(ScalarType.Float32), tolerance);
            // Rows that do not lie one after the other, in another type.
            var apart = x.to(ScalarType.Float64).transpose(0, 1);
            if (rows > 0)
                Flows.Near(expected.to(ScalarType.Float32).transpose(0, 1), layer.Apply(apart).to(ScalarType.Float32), tolerance);
        }
    }

    [Fact]
    public unsafe void Rows_in_memory_get_the_bits_of_rows_in_a_tensor()
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        using var layer = new PackedLinear(randn(20, 12), randn(20));
        var x = randn(5, 12);
        var y = full([5, 32], float.NaN);
        layer.Multiply(x.Pointer(), 12, 5, y.Pointer(), 32, accumulate: false);
        Assert.Equal(layer.Apply(x).contiguous().bytes.ToArray(), y.narrow(1, 0, 20).contiguous().bytes.ToArray());
    }

    [Fact]
    public void A_layer_frees_what_it_takes_over()
    {
        using var inference = inference_mode();
        foreach (var (make, _) in Ways())
        {
            var (weight, bias) = (randn(16, 8), randn(16));
            make(weight, bias).Dispose();
            Assert.Equal((true, true), (weight.IsInvalid, bias.IsInvalid));
        }
    }

    [Fact]
    public void A_weight_that_16_bits_cannot_hold_is_refused()
    {
        foreach (var value in (float[])[65520, float.NaN])
        {
            var error = Assert.Throws<TtsModelLoadException>(() => new PackedLinear(full([16, 4], (Scalar)value), null, PanelFormat.Float16));
            Assert.Contains("Set the precision to BFloat16 or Float32", error.Message);
        }
        new PackedLinear(full([16, 4], (Scalar)65504f), null, PanelFormat.Float16).Dispose();
    }

    private static IEnumerable<(Func<Tensor, Tensor?, Linear> Make, double Tolerance)> Ways() =>
    [
        ((weight, bias) => Linear.Create(weight, bias, ScalarType.Float32), 1e-4),
        ((weight, bias) => Linear.Create(weight, bias, ScalarType.BFloat16), 0.5),
        ((weight, bias) => new TorchLinear(weight, bias, ScalarType.Float32), 1e-4),
        ((weight, bias) => new PackedLinear(weight, bias), 1e-4),
        ((weight, bias) => new PackedLinear(weight, bias, PanelFormat.BFloat16), 0.5),
        ((weight, bias) => new PackedLinear(weight, bias, PanelFormat.Float16), 0.1),
        ((weight, bias) => new HalfProductLinear(weight, bias), 0.5),
        ((weight, bias) => new QuantizedLinear(weight, bias), 1),
    ];
}
