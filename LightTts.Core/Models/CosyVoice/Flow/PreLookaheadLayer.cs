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
    private const int Carried = CausalKernel - 1; // inputs of the causal convolution that a call leaves to the next one

    private readonly Linear _conv1;
    private readonly Linear _conv2;
    private readonly Tensor _nothing; // what is carried into an utterance's first call
    private readonly Uploads _uploads;

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
        _uploads = new Uploads(reader.Device.Device);
        _nothing = zeros([Carried, channels], ScalarType.Float32, reader.Device.Device).DetachFromDisposeScope();
    }

    public int Lookahead { get; }

    /// <summary>Where tokens go for <see cref="Encode"/>; the caller's to dispose.</summary>
    /// <param name="rows">The utterances.</param>
    /// <param name="nothing">An id that stands for zeros; where it is one.</param>
    /// <param name="repeats">How often each encoding is wanted.</param>
    public LookaheadRows Arrange(IReadOnlyList<FlowTokens> rows, long nothing = 0, int repeats = 1) =>
        new(rows, Lookahead, Carried, repeats, nothing, _uploads);

    /// <summary>Encodes tokens, at their own rate.</summary>
    /// <param name="x">The tokens of <paramref name="rows"/>, [n, Width].</param>
    /// <param name="rows">Whose they are.</param>
    /// <returns>Encodings [m, Width] as they are wanted, and for each utterance what its next call begins with, [2, Channels]: parts of one tensor,
    /// whose memory lives as long as any of them.</returns>
    public (Tensor Encoded, Tensor[] Tails) Encode(Tensor x, LookaheadRows rows) =>
        EncodePlaced(zeros([rows.Length, x.shape[1]], x.dtype, x.device).index_copy_(0, rows.Places, x), rows);

    /// <summary>The same of tokens that are in their places, with zeros where none is.</summary>
    /// <param name="input">[places, Width].</param>
    /// <param name="rows">Whose they are.</param>
    public (Tensor Encoded, Tensor[] Tails) EncodePlaced(Tensor input, LookaheadRows rows)
    {
        var hidden = _conv1.Apply(Windows(input, Lookahead + 1)).leaky_relu_(Scalars.Of(LeakySlope)); // [places - Lookahead, Channels]
        // Of each part, as TorchSharp's cat of one tensor is that tensor.
        hidden.index_copy_(0, rows.Earlier, cat([.. rows.Utterances.Select(row => (row.Tail?[0] ?? _nothing).alias())], 0));
        var encoded = _conv2.Apply(Windows(hidden, CausalKernel));
        encoded.PlusInPlace(input.narrow(0, Carried, encoded.shape[0]));
        var tails = hidden.index_select(0, rows.Later);
        return (encoded.index_select(0, rows.Encoded), [.. rows.Utterances.Select((_, i) => tails.narrow(0, i * Carried, Carried))]);
    }

    public void Dispose()
    {
        _conv1.Dispose();
        _conv2.Dispose();
        _nothing.Dispose();
        _uploads.Dispose();
    }

    /// <summary>Neighbours side by side, so that a convolution over few tokens is one product. [n, C] -> [n - size + 1, C size]</summary>
    internal static Tensor Windows(Tensor x, int size) => x.unfold(0, size, 1).flatten(1);
}
