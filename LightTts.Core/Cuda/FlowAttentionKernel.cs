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

    private const int Threads = 128;          // for a part of the keys
    private const int Queries = 64;           // of a block of threads, or twice as many
    private const int Processors = 128;       // as many as a large card has: with few blocks for each, keys are shared out
    private const int TileBytes = 2 * 2 * 64 * 64 * sizeof(ushort);

    private readonly CudaKernel _wide = module.Kernel("flow_attend_1_2");
    private readonly (int Splits, CudaKernel Kernel)[] _kernels =
        [.. new[] { 1, 2, 4 }.Select(splits => (splits, module.Kernel($"flow_attend_{splits}_1")))];

    /// <summary>Launches it.</summary>
    /// <param name="stream">Where.</param>
    /// <param name="blocks">Blocks of frames of a guidance row, frames of a block, places of a block.</param>
    /// <param name="qkv">[2 rows frames, 3 dim]: queries, and keys and values where there are no pages.</param>
    /// <param name="pages">[*, 2 dim]; 0: there are none.</param>
    /// <param name="places">[rows, columns] rows at which the pages of a block begin.</param>
    /// <param name="seen">[rows] how many keys a block sees.</param>
    /// <param name="y">[2 rows frames, dim].</param>
    /// <param name="afterKernel">Whether it may overlap the kernel before it.</param>
    public void Launch(nint stream, (int Rows, int Frames, int Columns) blocks, nint qkv, nint pages, nint places, nint seen, nint y,
        bool afterKernel)
    {
        (int X, int Y, int Z) grid = (heads, 2 * blocks.Rows, (blocks.Frames + Queries - 1) / Queries);
        var (splits, kernel) = _kernels[0];
        foreach (var choice in _kernels)
            if (grid.X * grid.Y * grid.Z * choice.Splits <= 4 * Processors && SharedBytes(choice.Splits, blocks.Columns) <= sharedBytes)
                (splits, kernel) = choice;
        if (grid.Z > 1 && grid.X * grid.Y * grid.Z > 4 * Processors)
            (kernel, grid.Z) = (_wide, (grid.Z + 1) / 2); // each key is read for twice as many queries
        kernel.Launch(stream, grid, Threads * splits, SharedBytes(splits, blocks.Columns), afterKernel, qkv, pages, places,
            Argument(blocks.Columns), seen, Argument(blocks.Rows), Argument(blocks.Frames), y);
    }

    private static int SharedBytes(int splits, int columns) => splits * TileBytes + columns * sizeof(long);
}
