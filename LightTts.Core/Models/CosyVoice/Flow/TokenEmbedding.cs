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

    /// <summary>[n] -> [n, Input]</summary>
    public Tensor Apply(Tensor ids) => _table.index_select(0, ids);

    public void Dispose() => _table.Dispose();
}
