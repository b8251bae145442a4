using LightTts.Models.CosyVoice.Files;
using LightTts.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Flow;

/// <summary>CosyVoice3's encoder: the look-ahead layer over the token embeddings; every token's encoding is repeated for its frames.</summary>
internal sealed class PreLookaheadEncoder(WeightReader reader, FlowConfig config) : IFlowEncoder
{
    private readonly TokenEmbedding _embedding = new(reader, config);

    public int FramesPerToken { get; } = config.TokenMelRatio;

    public int Lookahead => Layer.Lookahead;

    /// <summary>What it consists of.</summary>
    public PreLookaheadLayer Layer { get; } =
        new(reader, "pre_lookahead_layer", config.InputSize, config.PreLookaheadChannels, config.PreLookaheadTokens);

    public IReadOnlyList<(Tensor Mu, FlowTail Tail)> Encode(IReadOnlyList<FlowTokens> rows)
    {
        foreach (var row in rows)
            _embedding.Check(row);
        using var places = Layer.Arrange(rows, _embedding.Nothing, FramesPerToken);
        var (encoded, tails) = Layer.EncodePlaced(_embedding.Apply(places.Placed), places); // [n, Input] -> [FramesPerToken m, Input]
        var mus = encoded.split([.. places.Counts.Select(count => (long)count * FramesPerToken)]);
        return [.. mus.Zip(tails, (mu, tail) => (mu, new FlowTail(tail)))];
    }

    public void Dispose()
    {
        _embedding.Dispose();
        Layer.Dispose();
    }
}
