using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace LightTts.Torch;

/// <summary>libtorch's product, on any device and in any floating-point type.</summary>
internal sealed class TorchLinear : Linear
{
    private readonly Tensor _weight;
    private readonly Tensor? _bias;

    /// <inheritdoc cref="Linear.Create(Tensor, Tensor?, ScalarType)"/>
    public TorchLinear(Tensor weight, Tensor? bias, ScalarType compute) : base(weight.shape[1], weight.shape[0], compute)
    {
        _weight = Own(weight, compute);
        _bias = bias is null ? null : Own(bias, compute);
    }

    /// <summary>[Out, In], for engines that multiply by kernels of their own.</summary>
    public Tensor Weight => _weight;

    /// <summary>[Out], or null.</summary>
    public Tensor? Bias => _bias;

    public override Tensor Apply(Tensor x) => F.linear(x.dtype == Compute ? x : x.to(Compute), _weight, _bias);

    public override void Dispose()
    {
        _weight.Dispose();
        _bias?.Dispose();
    }
}
