using LightTts.Cpu;
using TorchSharp;
using static TorchSharp.torch;

namespace LightTts.Torch;

/// <summary>Weights in 32 bits, or as bfloat16, in the order in which the processor reads them (<see cref="PackedMatrix"/>):
/// a row gets the same bits in any company.</summary>
internal sealed unsafe class PackedLinear : HostLinear
{
    private readonly PackedMatrix _matrix;

    /// <summary>Packs the weights; takes over both tensors.</summary>
    /// <param name="weight">[Out, In], on the CPU.</param>
    /// <param name="bias">[Out], or null.</param>
    /// <param name="half">Keeps the weights as bfloat16; products are formed and added in 32 bits either way.</param>
    public PackedLinear(Tensor weight, Tensor? bias, bool half = false) : base(weight.shape[1], weight.shape[0])
    {
        using var ownWeight = Own(weight, ScalarType.Float32);
        using var ownBias = bias is null ? null : Own(bias, ScalarType.Float32);
        _matrix = new PackedMatrix(ownWeight.Pointer(), (int)Outputs, (int)Inputs, ownBias is null ? null : ownBias.Pointer(),
            half);
    }

    public override void Multiply(float* x, int xStride, int rows, float* y, int yStride, bool accumulate, int threads = -1) =>
        _matrix.Multiply(x, xStride, rows, y, yStride, accumulate, threads);

    public override void Dispose() => _matrix.Dispose();
}
