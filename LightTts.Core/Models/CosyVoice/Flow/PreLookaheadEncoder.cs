using LightTts.Models.CosyVoice.Files;
using LightTts.Torch;
using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace LightTts.Models.CosyVoice.Flow;

/// <summary>CosyVoice3's encoder (the reference's PreLookaheadLayer after the token embedding): a convolution that looks a few tokens ahead,
/// then a causal one, over the embeddings; every token's encoding is repeated for its frames.</summary>
internal sealed class PreLookaheadEncoder : IFlowEncoder
{
    private const double LeakySlope = 0.01;
    private const int CausalKernel = 3;

    private readonly Tensor _embedding;
    private readonly Linear _conv1;
    private readonly Linear _conv2;

    public PreLookaheadEncoder(WeightReader reader, FlowConfig config)
    {
        long input = config.InputSize, channels = config.PreLookaheadChannels;
        Vocabulary = config.VocabularySize;
        Lookahead = config.PreLookaheadTokens;
        FramesPerToken = config.TokenMelRatio;
        _embedding = reader.Take("input_embedding.weight", Vocabulary, input).DetachFromDisposeScope();
        Linear Convolution(string name, long outputs, long inputs, int kernel) => Linear.Create(
            reader.Take($"pre_lookahead_layer.{name}.weight", outputs, inputs, kernel).flatten(1),
            reader.Take($"pre_lookahead_layer.{name}.bias", outputs),
            ScalarType.Float32);
        _conv1 = Convolution("conv1", channels, input, Lookahead + 1);
        _conv2 = Convolution("conv2", input, channels, CausalKernel);
    }

    public int Vocabulary { get; }

    public int FramesPerToken { get; }

    public int Lookahead { get; }

    public (Tensor Mu, FlowTail Tail) Encode(ReadOnlySpan<int> tokens, bool final, FlowTail? tail)
    {
        var (encoded, next) = Encode(Embed(tokens), final, tail?[0]);
        return (encoded.repeat_interleave(FramesPerToken, 0), new FlowTail(next)); // [n, Input] -> [FramesPerToken n, Input]
    }

    /// <summary>Embeds tokens; negative ids count as 0, as in the reference. [n] -> [n, Input]</summary>
    public Tensor Embed(ReadOnlySpan<int> tokens)
    {
        var ids = new long[tokens.Length];
        for (var i = 0; i < ids.Length; i++)
            ids[i] = Math.Max(tokens[i], 0);
        return _embedding.index_select(0, tensor(ids, device: _embedding.device));
    }

    /// <summary>Encodes embedded tokens, at their own rate.</summary>
    /// <param name="embedded">Embeddings, [n, Input]; with <paramref name="final"/> all
    /// are encoded, otherwise the last <see cref="Lookahead"/> are context only.</param>
    /// <param name="final">Whether nothing follows (zeros are looked at instead).</param>
    /// <param name="tail">What the call for the tokens just before these gave back, [2, Channels]; null at the start.</param>
    /// <returns>Encodings [m, Input] and the tail for the next call.</returns>
    public (Tensor Encoded, Tensor Tail) Encode(Tensor embedded, bool final, Tensor? tail)
    {
        var count = final ? embedded.shape[0] : embedded.shape[0] - Lookahead;
        var x = final ? F.pad(embedded, [0, 0, 0, Lookahead]) : embedded;
        var hidden = _conv1.Apply(Windows(x, Lookahead + 1)).leaky_relu(Scalars.Of(LeakySlope)); // [count, Channels]
        hidden = cat([tail ?? zeros([CausalKernel - 1, hidden.shape[1]], hidden.dtype, hidden.device), hidden], 0);
        var encoded = _conv2.Apply(Windows(hidden, CausalKernel)).Plus(embedded.narrow(0, 0, count));
        return (encoded, hidden.narrow(0, count, CausalKernel - 1).clone());
    }

    /// <summary>Neighbours side by side, so that a convolution over few tokens is one product. [n, C] -> [n - size + 1, C size]</summary>
    private static Tensor Windows(Tensor x, int size) => x.unfold(0, size, 1).flatten(1);

    public void Dispose()
    {
        _embedding.Dispose();
        _conv1.Dispose();
        _conv2.Dispose();
    }
}
