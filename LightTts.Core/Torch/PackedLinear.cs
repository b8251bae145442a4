using LightTts.Cpu;
using TorchSharp;
using static TorchSharp.torch;

namespace LightTts.Torch;

/// <summary>Weights in 32 bits, or in 16, in the order in which the processor reads them (<see cref="PackedMatrix"/>):
/// a row gets the same bits in any company.</summary>
internal sealed unsafe class PackedLinear : HostLinear
{
    private readonly PackedMatrix _matrix;

    /// <summary>Packs the weights; takes over both tensors.</summary>
    /// <param name="weight">[Out, In], on the CPU.</param>
    /// <param name="bias">[Out], or null.</param>
    /// <param name="format">How the weights are kept; products are formed and added in 32 bits either way.</param>
    /// <exception cref="TtsModelLoadException">A weight is beyond what they can be kept as.</exception>
    public PackedLinear(Tensor weight, Tensor? bias, PanelFormat format = PanelFormat.Float32) : base(weight.shape[1], weight.shape[0])
    {
        using var ownWeight = Own(weight, ScalarType.Float32);
        using var ownBias = bias is null ? null : Own(bias, ScalarType.Float32);
        if (format == PanelFormat.Float16 && !IsWithin(ownWeight, Half16Numbers.Largest))
            throw new TtsModelLoadException($"A weight of the model is beyond {Half16Numbers.Largest}, the most that Float16 holds, or is not a "
                + "number. Set the precision to BFloat16 or Float32.");
        _matrix = new PackedMatrix(ownWeight.Pointer(), (int)Outputs, (int)Inputs, ownBias is null ? null : ownBias.Pointer(),
            format);
    }

    public override void Multiply(float* x, int xStride, int rows, float* y, int yStride, bool accumulate, int threads = -1) =>
        _matrix.Multiply(x, xStride, rows, y, yStride, accumulate, threads);

    public override void Dispose() => _matrix.Dispose();

    private static bool IsWithin(Tensor weight, float largest)
    {
        using var size = weight.abs();
        using var most = size.max();
        return most.ToSingle() <= largest; // not of NaN
    }
}
