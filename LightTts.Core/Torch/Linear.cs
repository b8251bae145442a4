using System.Runtime.Intrinsics;
using LightTts.Cpu;
using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace LightTts.Torch;

/// <summary>y = x Wᵀ + b over rows, in the arithmetic that the layer was made for.</summary>
/// <remarks>
/// On the CPU bfloat16 products go to oneDNN. 32-bit ones would go to MKL, which leaves
/// AVX-512 unused on processors that are not Intel's; where there is AVX-512, they are
/// LightTts' own (<see cref="PackedMatrix"/>), which are twice as fast there and give a row the same bits in any company.
/// </remarks>
internal sealed class Linear : IDisposable
{
    private readonly Tensor? _weight;
    private readonly Tensor? _bias;
    private readonly PackedMatrix? _packed;

    /// <summary>Takes over both tensors and converts them to <paramref name="compute"/>.</summary>
    /// <param name="weight">[Out, In].</param>
    /// <param name="bias">[Out], or null.</param>
    /// <param name="compute">Type of the product and of its result.</param>
    public Linear(Tensor weight, Tensor? bias, ScalarType compute)
    {
        Compute = compute;
        (Outputs, Inputs) = (weight.shape[0], weight.shape[1]);
        weight = Own(weight, compute);
        bias = bias is null ? null : Own(bias, compute);
        if (Vector512.IsHardwareAccelerated && compute == ScalarType.Float32 && weight.device_type == DeviceType.CPU
            && Outputs % PackedMatrix.Panel == 0)
        {
            using (weight)
            using (bias)
                _packed = Pack(weight, bias);
            return;
        }
        (_weight, _bias) = (weight, bias);
    }

    public ScalarType Compute { get; }

    public long Inputs { get; }

    public long Outputs { get; }

    /// <summary>Applies the layer. The result lives in the caller's dispose scope.</summary>
    /// <param name="x">[..., In], of any type.</param>
    /// <returns>[..., Out], of type <see cref="Compute"/>.</returns>
    public Tensor Apply(Tensor x)
    {
        if (_packed is null)
            return F.linear(x.dtype == Compute ? x : x.to(Compute), _weight!, _bias);
        using var converted = x.dtype == Compute && x.is_contiguous() ? null : x.to(Compute).contiguous();
        return Multiply(_packed, converted ?? x);
    }

    public void Dispose()
    {
        _weight?.Dispose();
        _bias?.Dispose();
        _packed?.Dispose();
    }

    private static unsafe PackedMatrix Pack(Tensor weight, Tensor? bias) =>
        new(weight.Pointer(), (int)weight.shape[0], (int)weight.shape[1], bias is null ? null : bias.Pointer());

    private static unsafe Tensor Multiply(PackedMatrix matrix, Tensor x)
    {
        var shape = x.shape;
        shape[^1] = matrix.Outputs;
        var y = empty(shape, ScalarType.Float32);
        if (y.NumberOfElements > 0)
            matrix.Multiply(x.Pointer(), matrix.Inputs, (int)(x.NumberOfElements / matrix.Inputs), y.Pointer(), matrix.Outputs, accumulate: false,
                get_num_threads());
        return y;
    }

    private static Tensor Own(Tensor tensor, ScalarType type)
    {
        if (tensor.dtype == type && tensor.is_contiguous())
            return tensor.DetachFromDisposeScope();
        using var scope = NewDisposeScope();
        var converted = tensor.to(type).contiguous().DetachFromDisposeScope();
        tensor.Dispose();
        return converted;
    }
}
