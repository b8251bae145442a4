using LightTts.Models.CosyVoice.Files;
using LightTts.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Flow;

/// <summary>The flow's table of speech tokens.</summary>
internal sealed class TokenEmbedding(WeightReader reader, FlowConfig config) : IDisposable
{
    private readonly Tensor _table = WithNothing(reader.Take("input_embedding.weight", config.VocabularySize, config.InputSize));

    /// <summary>An id whose embedding is zeros.</summary>
    public long Nothing => config.VocabularySize;

    /// <summary>Says that a token is none, before a device is asked for it.</summary>
    /// <exception cref="ArgumentException">The table has no such token.</exception>
    public void Check(FlowTokens tokens)
    {
        foreach (var id in tokens.Ids.Span)
            if (id >= Nothing)
                throw new ArgumentException($"Speech token {id}: the flow knows those below {Nothing}.", nameof(tokens));
    }

    /// <summary>[n] -> [n, Input]</summary>
    public Tensor Apply(Tensor ids) => _table.index_select(0, ids);

    public void Dispose() => _table.Dispose();

    private static Tensor WithNothing(Tensor table)
    {
        using var scope = NewDisposeScope();
        using var plain = table;
        return cat([table, zeros([1, table.shape[1]], table.dtype, table.device)], 0).DetachFromDisposeScope();
    }
}
