using System.Runtime.Intrinsics;
using LightTts.Cpu;
using TorchSharp;
using static TorchSharp.torch;

namespace LightTts.Torch;

/// <summary>y = x Wᵀ + b over rows. All weights of the models' matrix products pass through here, so that another way to keep and to multiply
/// them is one more class; which one a layer has is decided when it is made.</summary>
internal abstract class Linear(long inputs, long outputs, ScalarType compute) : IDisposable
{
    /// <summary>Type of the product and of its result.</summary>
    public ScalarType Compute => compute;

    public long Inputs => inputs;

    public long Outputs => outputs;

    /// <summary>The fastest for where the weights lie; takes over both tensors.</summary>
    /// <param name="weight">[Out, In].</param>
    /// <param name="bias">[Out], or null.</param>
    /// <param name="compute">Type of the product and of its result.</param>
    /// <remarks>
    /// 32-bit products on the CPU would go to MKL, which leaves
    /// AVX-512 unused on processors that are not Intel's; where there is AVX-512, they are LightTts' own, twice as fast there.
    /// </remarks>
    public static Linear Create(Tensor weight, Tensor? bias, ScalarType compute) =>
        Vector512.IsHardwareAccelerated && compute == ScalarType.Float32 && weight.device_type == DeviceType.CPU
        && weight.shape[0] % PackedMatrix.Panel == 0
            ? new PackedLinear(weight, bias)
            : new TorchLinear(weight, bias, compute);

    /// <summary>As <see cref="Create(Tensor, Tensor?, ScalarType)"/>, of 8-bit or 16-bit numbers where the device's weights are; for many
    /// rows.</summary>
    public static Linear Create(Tensor weight, Tensor? bias, TorchDevice device) =>
        device.Int8 ? new QuantizedLinear(weight, bias)
        : device.Weights == PanelFormat.BFloat16 && Precisions.CpuHasBFloat16 ? new HalfProductLinear(weight, bias)
        : device.HalfWeights ? new PackedLinear(weight, bias, device.Weights)
        : Create(weight, bias, device.Compute);

    /// <summary>Applies the layer. The result lives in the caller's dispose scope.</summary>
    /// <param name="x">[..., In], of any type.</param>
    /// <returns>[..., Out], of type <see cref="Compute"/>.</returns>
    public abstract Tensor Apply(Tensor x);

    public abstract void Dispose();

    /// <summary>The tensor in a type, contiguous, out of every dispose scope; takes it over.</summary>
    protected static Tensor Own(Tensor tensor, ScalarType type)
    {
        if (tensor.dtype == type && tensor.is_contiguous())
            return tensor.DetachFromDisposeScope();
        using var scope = NewDisposeScope();
        var converted = tensor.to(type).contiguous().DetachFromDisposeScope();
        tensor.Dispose();
        return converted;
    }
}
