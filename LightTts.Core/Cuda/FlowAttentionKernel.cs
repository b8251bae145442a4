using static LightTts.Cuda.CudaKernel;

namespace LightTts.Cuda;

/// <summary>Attention of the flow's transformer (flash attention, flow_attention.cu): every query of a block of frames sees the same keys, in pages
/// or in the block itself. Of heads of 64 numbers in bfloat16.</summary>
/// <param name="module">The compiled source.</param>
/// <param name="heads">Heads of attention.</param>
/// <param name="pageFrames">Frames of a page.</param>
/// <param name="sharedBytes">Shared memory that a block may have.</param>
internal sealed class FlowAttentionKernel(CudaModule module, int heads, int pageFrames, int sharedBytes)
{
    public const string Source = "flow_attention.cu", PagesSource = "flow_attention_pages.cu";

    private const int Tile = 64;              // keys of a tile, and queries of a block
    private const int GroupThreads = 128;     // 4 warps, for a part of the keys
    private const int TileBytes = 2 * Tile * 64 * sizeof(ushort); // keys and values
    private const int Stages = 3;             // tiles of a part at the most
    private const int OtherPlaces = 3;        // of a block, beside those of the pages that it sees
    private const int Groups = 4 * 128;       // of a large card that are there at the same time: with fewer, keys are shared out

    // Of those that take pages as tiles: frames of a page at the most, pages that a block may see, pages of a group that are on their way, and blocks
    // for which a card has room when each has several groups.
    private const int MaxPageFrames = 56, MaxPages = 128, Ring = 2, PageGroups = 3, BlocksOfGroups = 264;

    private readonly (int Groups, CudaKernel Kernel)[] _ofPages = module.HasGroups && pageFrames <= MaxPageFrames
        ? [.. new[] { 1, PageGroups }.Select(groups => (groups, module.Kernel($"flow_attend_pages_{groups}")))] : [];

    private readonly (int Splits, CudaKernel Kernel)[] _kernels =
        [.. new[] { 1, 2, 4 }.Select(splits => (splits, module.Kernel($"flow_attend_{splits}")))];

    /// <summary>Launches it.</summary>
    /// <param name="stream">Where.</param>
    /// <param name="blocks">Blocks of frames of a guidance row, frames of a block, places of a block.</param>
    /// <param name="qkv">[2 rows frames, 3 dim]: queries, and keys and values where there are no pages.</param>
    /// <param name="pages">[*, 2 dim] and its rows; 0: there are none.</param>
    /// <param name="places">[rows, columns] rows at which the pages of a block begin; the last is its own, and of all pages only these are written
    /// by kernels that this one may overlap.</param>
    /// <param name="seen">[rows] how many keys a block sees.</param>
    /// <param name="y">[2 rows frames, dim].</param>
    /// <param name="afterKernel">Whether it may overlap the kernel before it.</param>
    public void Launch(nint stream, (int Rows, int Frames, int Columns) blocks, nint qkv, (nint Address, long Rows) pages, nint places, nint seen,
        nint y, bool afterKernel)
    {
        if (_ofPages.Length > 0 && pages.Address != 0 && blocks.Frames == pageFrames && blocks.Columns - OtherPlaces <= MaxPages)
        {
            LaunchOfPages(stream, blocks, qkv, pages, places, seen, y, afterKernel);
            return;
        }
        int tiles = (blocks.Frames + Tile - 1) / Tile, groups = heads * 2 * blocks.Rows * tiles;
        var keys = blocks.Columns == 0 ? blocks.Frames : (blocks.Columns - OtherPlaces) * blocks.Frames; // the most that a block may see
        var (splits, kernel) = _kernels[0];
        foreach (var choice in _kernels)
            if (groups * choice.Splits <= Groups && choice.Splits <= (keys + Tile - 1) / Tile
                && SharedBytes(choice.Splits, blocks.Columns, keys) <= sharedBytes)
                (splits, kernel) = choice;
        kernel.Launch(stream, (heads * tiles, 2 * blocks.Rows, 1), GroupThreads * splits, SharedBytes(splits, blocks.Columns, keys), afterKernel, qkv,
            pages.Address, places, Argument(blocks.Columns), seen, Argument(blocks.Rows), Argument(blocks.Frames), y);
    }

    private void LaunchOfPages(nint stream, (int Rows, int Frames, int Columns) blocks, nint qkv, (nint Address, long Rows) pages, nint places,
        nint seen, nint y, bool afterKernel)
    {
        var (groups, kernel) = _ofPages[heads * 2 * blocks.Rows <= BlocksOfGroups ? 1 : 0];
        var sums = groups == 1 ? 0 : groups * Tile * (64 + 8) * sizeof(float);
        var dim = heads * 64;
        kernel.Launch(stream, (heads, 2 * blocks.Rows, 1), GroupThreads * groups, 1024 + (TileBytes / 2) + Math.Max(groups * Ring * TileBytes, sums),
            afterKernel,
            [TensorMap.Of(qkv, 2L * blocks.Rows * blocks.Frames, 3 * dim, pageFrames), TensorMap.Of(pages.Address, pages.Rows, 2 * dim, pageFrames)],
            [places, Argument(blocks.Columns), seen, Argument(blocks.Rows), y]);
    }

    // Places, then tiles, and in their place the parts' sums.
    private static int SharedBytes(int splits, int columns, int keys)
    {
        var sums = splits == 1 ? 0 : splits * Tile * (64 + 8) * sizeof(float);
        var tiles = Math.Min(Stages, (keys + Tile * splits - 1) / (Tile * splits)) * splits * TileBytes;
        return (columns * sizeof(long) + 1023) / 1024 * 1024 + Math.Max(sums, tiles);
    }
}
