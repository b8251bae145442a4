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

    private const int Tile = 64;              // keys of a tile, and queries of 4 warps
    private const int GroupThreads = 128;     // 4 warps
    private const int TileBytes = 2 * Tile * 64 * sizeof(ushort); // keys and values
    private const int OtherPlaces = 3;        // of a block, beside those of the pages that it sees
    private const int Groups = 4 * 128;       // of a large card that are there at the same time: with fewer, keys are shared out

    private readonly Kind _wide = new(module, "1_2", 1, 2);
    private readonly Kind[] _kinds = [new(module, "1_1", 1, 1), new(module, "2_1", 2, 1), new(module, "4_1", 4, 1)];
    private readonly Kind[] _others = [new(module, "1_4", 1, 4), new(module, "plain_1_1", 1, 1), new(module, "plain_1_2", 1, 2)];

    /// <summary>How keys and queries are shared out among groups of 4 warps, from few parts to many.</summary>
    public IEnumerable<Kind> Kinds => _kinds.Append(_wide).Concat(_others);

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
        bool afterKernel) => Launch(Choose(blocks), stream, blocks, qkv, pages, places, seen, y, afterKernel);

    /// <summary>The same by one kind.</summary>
    public void Launch(Kind kind, nint stream, (int Rows, int Frames, int Columns) blocks, nint qkv, nint pages, nint places, nint seen, nint y,
        bool afterKernel)
    {
        var queries = Tile * kind.Sets;
        kind.Kernel.Launch(stream, (heads * ((blocks.Frames + queries - 1) / queries) , 2 * blocks.Rows, 1),
            GroupThreads * kind.Splits * kind.Sets, kind.SharedBytes(blocks.Columns, Keys(blocks)), afterKernel, qkv, pages, places,
            Argument(blocks.Columns), seen, Argument(blocks.Rows), Argument(blocks.Frames), y);
    }

    private Kind Choose((int Rows, int Frames, int Columns) blocks)
    {
        int tiles = (blocks.Frames + Tile - 1) / Tile, groups = heads * 2 * blocks.Rows * tiles, keys = Keys(blocks);
        if (tiles > 1 && groups > Groups)
            return _wide; // each key is read for twice as many queries
        var chosen = _kinds[0];
        foreach (var kind in _kinds)
            if (groups * kind.Splits <= Groups && kind.Splits <= (keys + Tile - 1) / Tile && kind.SharedBytes(blocks.Columns, keys) <= sharedBytes)
                chosen = kind;
        return chosen;
    }

    // The most that a block may see.
    private static int Keys((int Rows, int Frames, int Columns) blocks) =>
        blocks.Columns == 0 ? blocks.Frames : (blocks.Columns - OtherPlaces) * blocks.Frames;

    /// <summary>A kernel for one way to share out the work.</summary>
    /// <param name="module">The compiled source.</param>
    /// <param name="name">The kernel's.</param>
    /// <param name="splits">Parts of the keys.</param>
    /// <param name="sets">Queries of a block, in tiles.</param>
    public sealed class Kind(CudaModule module, string name, int splits, int sets)
    {
        public CudaKernel Kernel { get; } = module.Kernel($"flow_attend_{name}");

        public string Name => name;

        public int Splits => splits;

        public int Sets => sets;

        // Places, then tiles, and in their place the parts' sums.
        public int SharedBytes(int columns, int keys)
        {
            var sums = splits == 1 ? 0 : splits * Tile * (64 + 8) * sizeof(float);
            var tiles = Math.Min(sets == 1 ? 3 : 4, (keys + Tile * splits - 1) / (Tile * splits)) * splits * TileBytes;
            return (columns * sizeof(long) + 1023) / 1024 * 1024 + Math.Max(sums, tiles);
        }
    }
}
