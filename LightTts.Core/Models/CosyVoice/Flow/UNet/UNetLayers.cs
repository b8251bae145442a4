using LightTts.Torch;
using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace LightTts.Models.CosyVoice.Flow.UNet;

/// <summary>A norm over channels.</summary>
internal sealed record UNetNorm(Tensor Weight, Tensor Bias) : IDisposable
{
    private const double Eps = 1e-5;

    public static UNetNorm Load(WeightReader reader, string name, long channels) => new(
        reader.Take($"{name}.weight", channels).DetachFromDisposeScope(), reader.Take($"{name}.bias", channels).DetachFromDisposeScope());

    /// <summary>[..., Channels] -> the same.</summary>
    public Tensor Apply(Tensor x) => F.layer_norm(x, [Weight.shape[0]], Weight, Bias, Eps);

    public void Dispose()
    {
        Weight.Dispose();
        Bias.Dispose();
    }
}

/// <summary>A causal convolution of three frames, as one product over windows: [3 Inputs -> Outputs].</summary>
/// <param name="Product">Its weights, frame by frame, so that a window is a run of memory.</param>
/// <param name="Slot">Where its tail is kept.</param>
internal sealed record UNetConv(Linear Product, int Slot) : IDisposable
{
    public const int Kernel = 3;

    /// <summary>Frames of left context.</summary>
    public const int Tail = Kernel - 1;

    public static UNetConv Load(WeightReader reader, string name, long outputs, long inputs, int slot)
    {
        using var weight = reader.Take($"{name}.weight", outputs, inputs, Kernel);
        return new(Linear.Create(weight.transpose(1, 2).flatten(1).contiguous(), reader.Take($"{name}.bias", outputs), ScalarType.Float32), slot);
    }

    /// <summary>A convolution of one frame.</summary>
    public static Linear Pointwise(WeightReader reader, string name, long outputs, long inputs)
    {
        using var weight = reader.Take($"{name}.weight", outputs, inputs, 1);
        return Linear.Create(weight.view(outputs, inputs).clone(), reader.Take($"{name}.bias", outputs), ScalarType.Float32);
    }

    /// <summary>Three frames side by side. [2, n + Tail, C] -> [2, n, 3 C]</summary>
    public static Tensor Windows(Tensor x) => x.unfold(1, Kernel, 1).transpose(2, 3).flatten(2);

    public void Dispose() => Product.Dispose();
}
