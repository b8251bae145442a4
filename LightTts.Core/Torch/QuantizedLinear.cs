using LightTts.Cpu;
using TorchSharp;
using static TorchSharp.torch;

namespace LightTts.Torch;

/// <summary>8-bit weights with a scale for each output (<see cref="QuantizedMatrix"/>): a row gets the same bits in any company.</summary>
internal sealed unsafe class QuantizedLinear : HostLinear
{
    private readonly QuantizedMatrix _matrix;

    /// <summary>Brings the weights to 8 bits; takes over both tensors.</summary>
    /// <param name="weight">[Out, In], on the CPU.</param>
    /// <param name="bias">[Out], or null.</param>
    public QuantizedLinear(Tensor weight, Tensor? bias) : base(weight.shape[1], weight.shape[0])
    {
        using var ownWeight = Own(weight, ScalarType.Float32);
        using var ownBias = bias is null ? null : Own(bias, ScalarType.Float32);
        _matrix = new QuantizedMatrix(ownWeight.Pointer(), (int)Outputs, (int)Inputs, ownBias is null ? null : ownBias.Pointer());
    }

    public override void Multiply(float* x, int xStride, int rows, float* y, int yStride, bool accumulate, int threads = -1) =>
        _matrix.Multiply(x, xStride, rows, y, yStride, accumulate, threads);

    public override void Dispose() => _matrix.Dispose();
}
