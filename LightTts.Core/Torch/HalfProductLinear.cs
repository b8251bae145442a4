using System.Runtime.Intrinsics;
using LightTts.Cpu;
using TorchSharp;
using static TorchSharp.torch;

namespace LightTts.Torch;

/// <summary>bfloat16 weights and inputs, multiplied by libtorch in the processor's own instructions for them, which .NET does not offer: twice the
/// products of 32 bits where there are many rows. For few rows, and for processors without such instructions, there is
/// <see cref="PackedLinear"/>.</summary>
internal sealed unsafe class HalfProductLinear : HostLinear
{
    private const int Width = 16;

    private readonly TorchLinear _product;

    /// <summary>Takes over both tensors.</summary>
    /// <param name="weight">[Out, In], on the CPU.</param>
    /// <param name="bias">[Out], or null.</param>
    public HalfProductLinear(Tensor weight, Tensor? bias) : base(weight.shape[1], weight.shape[0]) =>
        _product = new TorchLinear(weight, bias, Precisions.Half);

    /// <inheritdoc/>
    /// <remarks>Sets the number of libtorch's threads on the calling thread.</remarks>
    public override void Multiply(float* x, int xStride, int rows, float* y, int yStride, bool accumulate, int threads = -1)
    {
        using var inference = inference_mode();
        using var scope = NewDisposeScope();
        if (threads > 0 && get_num_threads() != threads)
            set_num_threads(threads);
        var (inputs, outputs) = ((int)Inputs, (int)Outputs);
        var input = empty([rows, inputs], Precisions.Half);
        var to = (ushort*)input.Pointer();
        for (var row = 0; row < rows; row++)
            HalfRows.Narrow(x + (long)row * xStride, to + (long)row * inputs, inputs);
        var from = (ushort*)_product.Apply(input).contiguous().Pointer();
        for (var row = 0; row < rows; row++)
            Widen(from + (long)row * outputs, y + (long)row * yStride, outputs, accumulate);
    }

    public override void Dispose() => _product.Dispose();

    private static void Widen(ushort* from, float* to, int count, bool accumulate)
    {
        var k = 0;
        for (; k + Width <= count; k += Width)
        {
            var value = HalfNumbers.Wide((byte*)from, k);
            (accumulate ? value + Vector512.Load(to + k) : value).Store(to + k);
        }
        for (; k < count; k++)
        {
            var value = BitConverter.UInt32BitsToSingle((uint)from[k] << 16);
            to[k] = accumulate ? to[k] + value : value;
        }
    }
}
