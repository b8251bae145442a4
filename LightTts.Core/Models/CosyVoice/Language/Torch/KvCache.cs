using LightTts.Torch;
using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Language.Torch;

/// <summary>Keys and values of a transformer's layers in one pool of positions, shared by
/// all sequences. Which positions belong to whom is for the caller to know.</summary>
/// <remarks>
/// Two extra positions after the last: one stays zero, and gathers are padded with it, so
/// that what a freed block holds (NaN of a failed row, say) cannot leak; the
/// other takes what padding rows write, and nobody reads it.
/// </remarks>
internal sealed class KvCache : IDisposable
{
    private readonly Tensor[] _layers;
    private readonly int _kvHeads;
    private readonly int _headDim;

    public KvCache(int layers, int positions, int kvHeads, int headDim, TorchDevice device)
    {
        _kvHeads = kvHeads;
        _headDim = headDim;
        Padding = positions;
        _layers = [.. Enumerable.Range(0, layers).Select(_ =>
            zeros(positions + 2, 2 * kvHeads * headDim, dtype: device.Compute, device: device.Device).DetachFromDisposeScope())];
    }

    /// <summary>The position that is always zero.</summary>
    public int Padding { get; }

    /// <summary>The position for what nobody will read.</summary>
    public int Scratch => Padding + 1;

    /// <summary>Where a sequence's position lies.</summary>
    public static long Slot(LanguageState state, int position) =>
        (long)state.Blocks[position / KvBlockPool.BlockSize] * KvBlockPool.BlockSize + position % KvBlockPool.BlockSize;

    /// <summary>Writes rows of keys and values.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="slots">[T] positions in the pool.</param>
    /// <param name="rows">[T, 2 * kv heads * head size]: keys, then values.</param>
    public void Write(int layer, Tensor slots, Tensor rows) => _layers[layer].index_copy_(0, slots, rows);

    /// <summary>Reads the keys and values of several sequences.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="slots">[B * L] positions in the pool, sequence after sequence.</param>
    /// <param name="sequences">B.</param>
    /// <returns>Keys and values, each [B, kv heads, L, head size].</returns>
    public (Tensor Keys, Tensor Values) Read(int layer, Tensor slots, int sequences)
    {
        // [B * L, 2 * kv * d] -> [B, L, 2, kv, d] -> [2, B, kv, L, d]
        var both = _layers[layer].index_select(0, slots).view(sequences, -1, 2, _kvHeads, _headDim).permute(2, 0, 3, 1, 4);
        return (both.select(0, 0), both.select(0, 1));
    }

    public void Dispose()
    {
        foreach (var layer in _layers)
            layer.Dispose();
    }
}
