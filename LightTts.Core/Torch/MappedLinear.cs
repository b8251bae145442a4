using System.Runtime.Intrinsics;
using LightTts.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace LightTts.Torch;

/// <summary>32-bit weights that are multiplied where they lie in their file, for layers that are used once in a while: between two uses they
/// take no memory.</summary>
internal sealed unsafe class MappedLinear : Linear
{
    private const int Width = 16;
    private const int OutputsTogether = 64;

    private readonly MappedBytes _weights;
    private readonly Tensor _bias;

    private MappedLinear(MappedBytes weights, Tensor bias, long inputs, long outputs) : base(inputs, outputs, ScalarType.Float32) =>
        (_weights, _bias) = (weights, Own(bias, ScalarType.Float32));

    /// <summary>Takes a matrix of a file; takes over the bias.</summary>
    /// <param name="weight">[Out, In].</param>
    /// <param name="bias">[Out], on the CPU.</param>
    /// <returns>Null where it does not lie row by row, or is of another type; then the bias stays the caller's.</returns>
    public static MappedLinear? Of(TensorEntry weight, Tensor bias) =>
        weight is { Type: ElementType.Float32, Shape: [var outputs, var inputs] } && weight.Map() is { } bytes
            ? new MappedLinear(bytes, bias, inputs, outputs) : null;

    public override Tensor Apply(Tensor x)
    {
        using var rows = x.to(ScalarType.Float32).contiguous();
        var shape = x.shape;
        shape[^1] = Outputs;
        var y = empty(shape, ScalarType.Float32);
        float* from = rows.Pointer(), to = y.Pointer(), bias = _bias.Pointer();
        var count = rows.NumberOfElements / Inputs;
        Parallel.For(0, (Outputs + OutputsTogether - 1) / OutputsTogether, new ParallelOptions { MaxDegreeOfParallelism = get_num_threads() }, part =>
        {
            for (var output = part * OutputsTogether; output < Math.Min(Outputs, (part + 1) * OutputsTogether); output++)
                for (var row = 0L; row < count; row++)
                    to[row * Outputs + output] = Dot((float*)_weights.Start + output * Inputs, from + row * Inputs) + bias[output];
        });
        _weights.Release();
        return y;
    }

    public override void Dispose()
    {
        _weights.Dispose();
        _bias.Dispose();
    }

    private float Dot(float* a, float* b)
    {
        Vector512<float> even = default, odd = default;
        var k = 0L;
        for (; k + 2 * Width <= Inputs; k += 2 * Width)
        {
            even = Vector512.FusedMultiplyAdd(Vector512.Load(a + k), Vector512.Load(b + k), even);
            odd = Vector512.FusedMultiplyAdd(Vector512.Load(a + k + Width), Vector512.Load(b + k + Width), odd);
        }
        var sum = Vector512.Sum(even + odd);
        for (; k < Inputs; k++)
            sum += a[k] * b[k];
        return sum;
    }
}
