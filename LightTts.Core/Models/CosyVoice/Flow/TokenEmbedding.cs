using LightTts.Models.CosyVoice.Files;
using LightTts.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Flow;

/// <summary>The flow's table of speech tokens.</summary>
internal sealed class TokenEmbedding(WeightReader reader, FlowConfig config) : IDisposable
{
    private readonly Tensor _table =
        reader.Take("input_embedding.weight", config.VocabularySize, config.InputSize).DetachFromDisposeScope();

    /// <summary>Embeds tokens; negative ids count as 0, as in the reference. [n] -> [n, Input]</summary>
    public Tensor Apply(ReadOnlySpan<int> tokens)
    {
        var ids = new long[tokens.Length];
        for (var i = 0; i < ids.Length; i++)
            ids[i] = Math.Max(tokens[i], 0);
        return _table.index_select(0, tensor(ids, device: _table.device));
    }

    public void Dispose() => _table.Dispose();
}
