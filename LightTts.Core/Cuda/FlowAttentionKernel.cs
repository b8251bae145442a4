using static LightTts.Cuda.CudaKernel;

namespace LightTts.Cuda;

/// <summary>Attention of the flow's transformer (flash attention, flow_attention.cu): every query of a block of frames sees the same keys, in pages
/// or in the block itself. Of heads of 64 numbers in bfloat16.</summary>
/// <param name="module">The compiled source.</param>
/// <param name="heads">Heads of attention.</param>
/// <param name="sharedBytes">Shared memory that a block may have.</param>
internal sealed class FlowAttentionKernel(CudaModule module, int heads, int sharedBytes)
{
    public const string Source = "flow_attention.cu";

    private const int Tile = 64;              // keys of a tile, and queries of a block
    private const int GroupThreads = 128;     // 4 warps, for a part of the keys
    private const int TileBytes = 2 * Tile * 64 * sizeof(ushort); // keys and values
    private const int Stages = 3;             // tiles of a part at the most
    private const int OtherPlaces = 3;        // of a block, beside those of the pages that it sees
    private const int Groups = 4 * 128;       // of a large card that are there at the same time: with fewer, keys are shared out

    private readonly (int Splits, CudaKernel Kernel)[] _kernels =
        [.. new[] { 1, 2, 4 }.Select(splits => (splits, module.Kernel($"flow_attend_{splits}")))];

    /// <summary>Launches it.</summary>
    /// <param name="stream">Where.</param>
    /// <param name="blocks">Blocks of frames of a guidance row, frames of a block, places of a block.</param>
    /// <param name="qkv">[2 rows frames, 3 dim]: queries, and keys and values where there are no pages.</param>
    /// <param name="pages">[*, 2 dim]; 0: there are none.</param>
    /// <param name="places">[rows, columns] rows at which the pages of a block begin; the last is its own, and of all pages only these are written
    /// by kernels that this one may overlap.</param>
    /// <param name="seen">[rows] how many keys a block sees.</param>
    /// <param name="y">[2 rows frames, dim].</param>
    /// <param name="afterKernel">Whether it may overlap the kernel before it.</param>
    public void Launch(nint stream, (int Rows, int Frames, int Columns) blocks, nint qkv, nint pages, nint places, nint seen, nint y,
        bool afterKernel)
    {
        int tiles = (blocks.Frames + Tile - 1) / Tile, groups = heads * 2 * blocks.Rows * tiles;
        var keys = blocks.Columns == 0 ? blocks.Frames : (blocks.Columns - OtherPlaces) * blocks.Frames; // the most that a block may see
        var (splits, kernel) = _kernels[0];
        foreach (var choice in _kernels)
            if (groups * choice.Splits <= Groups && choice.Splits <= (keys + Tile - 1) / Tile
                && SharedBytes(choice.Splits, blocks.Columns, keys) <= sharedBytes)
                (splits, kernel) = choice;
        kernel.Launch(stream, (heads * tiles, 2 * blocks.Rows, 1), GroupThreads * splits, SharedBytes(splits, blocks.Columns, keys), afterKernel, qkv,
            pages, places, Argument(blocks.Columns), seen, Argument(blocks.Rows), Argument(blocks.Frames), y);
    }

    // Places, then tiles, and in their place the parts' sums.
    private static int SharedBytes(int splits, int columns, int keys)
    {
        var sums = splits == 1 ? 0 : splits * Tile * (64 + 8) * sizeof(float);
        var tiles = Math.Min(Stages, (keys + Tile * splits - 1) / (Tile * splits)) * splits * TileBytes;
        return (columns * sizeof(long) + 1023) / 1024 * 1024 + Math.Max(sums, tiles);
    }
}
