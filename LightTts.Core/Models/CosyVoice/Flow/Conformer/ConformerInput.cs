using LightTts.Torch;
using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace LightTts.Models.CosyVoice.Flow.Conformer;

/// <summary>A projection, its norm, and the scale that transformers give to what positions are added to (reference: LinearNoSubsampling,
/// and the scale of EspnetRelPositionalEncoding).</summary>
internal sealed class ConformerInput(WeightReader reader, string name, long inputs, long dim) : IDisposable
{
    public const double NormEps = 1e-5;

    private readonly Linear _linear =
        Linear.Create(reader.Take($"{name}.0.weight", dim, inputs), reader.Take($"{name}.0.bias", dim), ScalarType.Float32);
    private readonly Tensor _norm = reader.Take($"{name}.1.weight", dim).DetachFromDisposeScope();
    private readonly Tensor _normBias = reader.Take($"{name}.1.bias", dim).DetachFromDisposeScope();

    /// <summary>[n, inputs] -> [n, dim]</summary>
    public Tensor Apply(Tensor x) =>
        F.layer_norm(_linear.Apply(x), [dim], _norm, _normBias, NormEps).mul_(Scalars.Of(Math.Sqrt(dim)));

    public void Dispose()
    {
        _linear.Dispose();
        _norm.Dispose();
        _normBias.Dispose();
    }
}
