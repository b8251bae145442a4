using static LightTts.Cuda.CudaKernel;

namespace LightTts.Cuda;

/// <summary>Attention of single queries over the pages of their sequences (flash attention, attention.cu).</summary>
/// <remarks>
/// softmax(q k / sqrt(d)) v over positions up to the row's own: queries [rows, heads, d] in 32 bits -> y [rows, heads * d].
/// Floor: the sequences' keys and values at the memory's speed, 2 * KV heads * d * bytes a position.
/// </remarks>
internal sealed class AttentionKernel(CudaModule module, TransformerShape shape)
{
    private const int Threads = 256;

    private readonly CudaKernel _attend = module.Kernel("attend");

    /// <summary>Launches it.</summary>
    /// <param name="stream">Where to.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="queries">The queries.</param>
    /// <param name="cache">The pages.</param>
    /// <param name="y">The result.</param>
    public void Launch(nint stream, int rows, nint queries, in PagedCache cache, nint y) =>
        _attend.Launch(stream, (rows, shape.KvHeads, 1), Threads, 0, afterKernel: true, queries, cache.Keys, cache.Values, cache.Positions,
            cache.Sequences, cache.Tables, Argument(cache.TableBlocks), y, Argument(1 / MathF.Sqrt(shape.HeadDim)));
}
