using static LightTts.Cuda.CudaKernel;

namespace LightTts.Cuda;

/// <summary>Attention of single queries over the pages of their sequences (flash attention, attention.cu; in 32 bits attention_single.cu).</summary>
/// <remarks>
/// softmax(q k / sqrt(d)) v over positions up to the row's own: queries [rows, heads, d] in 32 bits -> y [rows, heads * d].
/// Floor: the sequences' keys and values at the memory's speed, 2 * KV heads * d * bytes a position.
/// </remarks>
internal sealed class AttentionKernel(CudaModule module, TransformerShape shape)
{
    private readonly int _warps = shape.BFloat16 ? 16 : 8;

    private readonly CudaKernel _attend = module.Kernel("attend");

    /// <summary>Launches it.</summary>
    /// <param name="stream">Where to.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="queries">The queries.</param>
    /// <param name="cache">The pages.</param>
    /// <param name="y">The result.</param>
    /// <param name="settles">Whether each row is of another sequence, whose earlier positions were there before this step: they are loaded while the
    /// kernel before still runs.</param>
    public void Launch(nint stream, int rows, nint queries, in PagedCache cache, nint y, bool settles) =>
        _attend.Launch(stream, (rows, shape.KvHeads, 1), 32 * _warps, shape.BFloat16 ? _warps * shape.Group * shape.HeadDim * sizeof(float) : 0,
            afterKernel: true, queries, cache.Keys, cache.Values, cache.Positions, cache.Sequences, cache.Tables, Argument(cache.TableBlocks), y,
            Argument(1 / MathF.Sqrt(shape.HeadDim)), Argument(settles ? 1 : 0));
}
