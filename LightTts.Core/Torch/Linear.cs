using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace LightTts.Torch;

/// <summary>y = x Wᵀ + b over rows, in the arithmetic that the layer was made for.</summary>
/// <remarks>
/// On the CPU bfloat16 products go to oneDNN, 32-bit ones to MKL, which leaves AVX-512 unused on processors that are not Intel's. The way around, a 1x1 convolution
/// over channels-last rows (also oneDNN, 1.8 times as fast), was tried and gives wrong numbers in libtorch 2.10
/// for many output widths (80, say) on such processors.
/// </remarks>
internal sealed class Linear : IDisposable
{
    private readonly Tensor _weight;
    private readonly Tensor? _bias;

    /// <summary>Takes over both tensors and converts them to <paramref name="compute"/>.</summary>
    /// <param name="weight">[Out, In].</param>
    /// <param name="bias">[Out], or null.</param>
    /// <param name="compute">Type of the product and of its result.</param>
    public Linear(Tensor weight, Tensor? bias, ScalarType compute)
    {
        _weight = Own(weight, compute);
        _bias = bias is null ? null : Own(bias, compute);
        Compute = compute;
    }

    public ScalarType Compute { get; }

    public long Inputs => _weight.shape[1];

    public long Outputs => _weight.shape[0];

    /// <summary>Applies the layer. The result lives in the caller's dispose scope.</summary>
    /// <param name="x">[..., In], of any type.</param>
    /// <returns>[..., Out], of type <see cref="Compute"/>.</returns>
    public Tensor Apply(Tensor x) => F.linear(x.dtype == Compute ? x : x.to(Compute), _weight, _bias);

    public void Dispose()
    {
        _weight.Dispose();
        _bias?.Dispose();
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
