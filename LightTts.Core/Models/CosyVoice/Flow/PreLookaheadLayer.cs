using LightTts.Torch;
using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace LightTts.Models.CosyVoice.Flow;

/// <summary>A convolution that looks a few tokens ahead, then a causal one, and the input again (reference: PreLookaheadLayer).</summary>
internal sealed class PreLookaheadLayer : IDisposable
{
    private const double LeakySlope = 0.01;
    private const int CausalKernel = 3;

    private readonly Linear _conv1;
    private readonly Linear _conv2;

    /// <param name="reader">The flow's checkpoint.</param>
    /// <param name="name">The layer's.</param>
    /// <param name="width">Channels of its input and output.</param>
    /// <param name="channels">Channels between its convolutions.</param>
    /// <param name="lookahead">Tokens that it looks ahead.</param>
    public PreLookaheadLayer(WeightReader reader, string name, long width, long channels, int lookahead)
    {
        Lookahead = lookahead;
        Linear Convolution(string part, long outputs, long inputs, int kernel) => Linear.Create(
            reader.Take($"{name}.{part}.weight", outputs, inputs, kernel).flatten(1),
            reader.Take($"{name}.{part}.bias", outputs),
            ScalarType.Float32);
        _conv1 = Convolution("conv1", channels, width, lookahead + 1);
        _conv2 = Convolution("conv2", width, channels, CausalKernel);
    }

    public int Lookahead { get; }

    /// <summary>Encodes tokens, at their own rate.</summary>
    /// <param name="x">[n, Width]; with <paramref name="final"/> all are encoded,
    /// otherwise the last <see cref="Lookahead"/> are context only.</param>
    /// <param name="final">Whether nothing follows (zeros are looked at instead).</param>
    /// <param name="tail">What the call for the tokens just before these gave back, [2, Channels]; null at the start.</param>
    /// <returns>Encodings [m, Width] and the tail for the next call.</returns>
    public (Tensor Encoded, Tensor Tail) Encode(Tensor x, bool final, Tensor? tail)
    {
        var count = final ? x.shape[0] : x.shape[0] - Lookahead;
        var input = final ? F.pad(x, [0, 0, 0, Lookahead]) : x;
        var hidden = _conv1.Apply(Windows(input, Lookahead + 1)).leaky_relu(Scalars.Of(LeakySlope)); // [count, Channels]
        hidden = cat([tail ?? zeros([CausalKernel - 1, hidden.shape[1]], hidden.dtype, hidden.device), hidden], 0);
        var encoded = _conv2.Apply(Windows(hidden, CausalKernel)).Plus(x.narrow(0, 0, count));
        return (encoded, hidden.narrow(0, count, CausalKernel - 1).clone());
    }

    public void Dispose()
    {
        _conv1.Dispose();
        _conv2.Dispose();
    }

    /// <summary>Neighbours side by side, so that a convolution over few tokens is one product. [n, C] -> [n - size + 1, C size]</summary>
    internal static Tensor Windows(Tensor x, int size) => x.unfold(0, size, 1).flatten(1);
}
