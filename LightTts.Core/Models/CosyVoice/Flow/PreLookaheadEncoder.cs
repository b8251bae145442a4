using LightTts.Models.CosyVoice.Files;
using LightTts.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Flow;

/// <summary>CosyVoice3's encoder: the look-ahead layer over the token embeddings; every token's encoding is repeated for its frames.</summary>
internal sealed class PreLookaheadEncoder(WeightReader reader, FlowConfig config) : IFlowEncoder
{
    private readonly TokenEmbedding _embedding = new(reader, config);
    private readonly PreLookaheadLayer _layer =
        new(reader, "pre_lookahead_layer", config.InputSize, config.PreLookaheadChannels, config.PreLookaheadTokens);

    public int FramesPerToken { get; } = config.TokenMelRatio;

    public int Lookahead => _layer.Lookahead;

    public (Tensor Mu, FlowTail Tail) Encode(ReadOnlySpan<int> tokens, bool final, bool streaming, FlowTail? tail)
    {
        var (encoded, next) = Encode(_embedding.Apply(tokens), final, tail?[0]);
        return (encoded.repeat_interleave(FramesPerToken, 0), new FlowTail(next)); // [n, Input] -> [FramesPerToken n, Input]
    }

    /// <inheritdoc cref="PreLookaheadLayer.Encode"/>
    public (Tensor Encoded, Tensor Tail) Encode(Tensor embedded, bool final, Tensor? tail) => _layer.Encode(embedded, final, tail);

    public void Dispose()
    {
        _embedding.Dispose();
        _layer.Dispose();
    }
}
