using static LightTts.Cuda.CudaKernel;

namespace LightTts.Cuda;

/// <summary>Attention of single queries over the pages of their sequences (flash decoding, attention.cu).</summary>
/// <remarks>
/// softmax(q k / sqrt(d)) v over positions up to the row's own: queries [rows, heads, d] in 32 bits -> y [rows, heads * d].
/// Floor: the sequences' keys and values at the memory's speed, 2 * KV heads * d * bytes a position.
/// </remarks>
internal sealed class AttentionKernel(CudaModule module, TransformerShape shape)
{
    /// <summary>Positions that one block takes.</summary>
    public const int Span = 128;

    private readonly CudaKernel _attend = module.Kernel("attend");

    /// <summary>Launches it.</summary>
    /// <param name="stream">Where to.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="spans">Blocks of a row: enough for the longest sequence.</param>
    /// <param name="queries">The queries.</param>
    /// <param name="cache">The pages.</param>
    /// <param name="parts">Room of <see cref="PartBytes"/> for each row and span.</param>
    /// <param name="arrivals">[rows, KV heads] 32-bit zeros, which they are again afterwards.</param>
    /// <param name="y">The result.</param>
    public void Launch(nint stream, int rows, int spans, nint queries, in PagedCache cache, nint parts, nint arrivals, nint y) =>
        _attend.Launch(stream, (rows, shape.KvHeads, spans), Span, 0, afterKernel: true, queries, cache.Keys, cache.Values, cache.Positions,
            cache.Sequences, cache.Tables, Argument(cache.TableBlocks), parts, arrivals, y, Argument(1 / MathF.Sqrt(shape.HeadDim)));

    /// <summary>Bytes of what one block leaves for the one that puts the parts together.</summary>
    public int PartBytes => shape.Heads * (shape.HeadDim + 2) * sizeof(float);
}
