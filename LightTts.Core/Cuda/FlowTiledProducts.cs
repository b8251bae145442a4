using static LightTts.Cuda.CudaKernel;

namespace LightTts.Cuda;

/// <summary>By groups of warps, out of tiles that come by themselves (flow_products_tiles.cu).</summary>
/// <param name="module">The compiled source; it has groups.</param>
/// <param name="dim">Width of the transformer.</param>
/// <param name="hidden">Of its feed-forward part.</param>
internal sealed class FlowTiledProducts(CudaModule module, int dim, int hidden) : FlowProductKernels
{
    public const string RowsSource = "flow_tiled_rows.cuh", OwnSource = "flow_products_tiles.cu";

    private const int FewRows = 128;
    private const int MaxBlocks = 4; // of rows: more would not be there at the same time
    private const int ProjectOutputs = 96, UpOutputs = 64, AddedOutputs = 32; // of a block

    // As in the source: for few rows, and for more.
    private readonly Way _few = new(module, "tiles", Groups: 1, BlockRows: 64, new(5, 5), new(6, 6), new(8, 8), new(8, 8));
    private readonly Way _more = new(module, "wide_tiles", Groups: 2, BlockRows: 112, new(4, 4), new(4, 4), new(5, 8), new(5, 5));

    public override int MaxRows => MaxBlocks * _more.BlockRows;

    public override void Project(nint stream, int rows, in Stream x, in Normed product, nint turns, nint places, int columns, nint qkv, nint pages,
        float epsilon)
    {
        var way = Choose(rows);
        var (blocks, each) = way.Share(rows);
        way.Project.Launch(stream, (blocks, 3 * dim / ProjectOutputs, 1), way.NormedThreads, way.Bytes(way.OfProject, dim, ProjectOutputs, each),
            afterKernel: true,
            [TensorMap.Of(x.Scaled, rows, dim, each), TensorMap.Of(product.Weight, 3 * dim, dim, ProjectOutputs)],
            [
                x.Moments, product.Slope, product.Offset, turns, places, Argument(columns), qkv, pages, Argument(rows), Argument(each),
                Argument(epsilon),
            ]);
    }

    public override void Up(nint stream, int rows, in Stream x, in Normed product, nint y, float epsilon)
    {
        var way = Choose(rows);
        var (blocks, each) = way.Share(rows);
        way.Up.Launch(stream, (blocks, hidden / UpOutputs, 1), way.NormedThreads, way.Bytes(way.OfUp, dim, UpOutputs, each), afterKernel: true,
            [TensorMap.Of(x.Scaled, rows, dim, each), TensorMap.Of(product.Weight, hidden, dim, UpOutputs)],
            [x.Moments, product.Slope, product.Offset, y, Argument(rows), Argument(each), Argument(epsilon)]);
    }

    public override void AddAttended(nint stream, int rows, nint y, in Added product, in Stream x)
    {
        var way = Choose(rows);
        Add(way, way.Out, way.OfOut, dim, stream, rows, y, product, x);
    }

    public override void AddDown(nint stream, int rows, nint y, in Added product, in Stream x)
    {
        var way = Choose(rows);
        Add(way, way.Down, way.OfDown, hidden, stream, rows, y, product, x);
    }

    private void Add(Way way, CudaKernel kernel, Rings rings, int inputs, nint stream, int rows, nint y, in Added product, in Stream x)
    {
        var (blocks, each) = way.Share(rows);
        kernel.Launch(stream, (blocks, dim / AddedOutputs, 1), way.AddedThreads, way.Bytes(rings, inputs, AddedOutputs, each), afterKernel: true,
            [TensorMap.Of(y, rows, inputs, each), TensorMap.Of(product.Weight, dim, inputs, AddedOutputs)],
            [product.Bias, product.Gate, product.NextScale, x.Values, x.Scaled, x.Moments, Argument(rows), Argument(each)]);
    }

    private Way Choose(int rows) => rows <= FewRows ? _few : _more;

    /// <summary>Stages of the rows' and the weights' rings.</summary>
    private readonly record struct Rings(int RowStages, int WeightStages);

    /// <summary>The kernels of one way to share the work out.</summary>
    private sealed record Way(CudaModule Module, string Name, int Groups, int BlockRows, Rings OfProject, Rings OfUp, Rings OfOut, Rings OfDown)
    {
        private const int GroupThreads = 128, NormedHelpers = 256, AddedHelpers = 32;
        private const int TileInputs = 64, StageTiles = 2, TileAlignment = 1024;

        public CudaKernel Project { get; } = Module.Kernel($"flow_project_{Name}");

        public CudaKernel Up { get; } = Module.Kernel($"flow_up_{Name}");

        public CudaKernel Out { get; } = Module.Kernel($"flow_out_{Name}");

        public CudaKernel Down { get; } = Module.Kernel($"flow_down_{Name}");

        public int NormedThreads => (Groups * GroupThreads) + NormedHelpers;

        public int AddedThreads => (Groups * GroupThreads) + AddedHelpers;

        /// <summary>As many rows for every block: what is read is what takes time.</summary>
        public (int Blocks, int Each) Share(int rows)
        {
            var blocks = Blocks(rows, BlockRows);
            return (blocks, Blocks(rows, blocks));
        }

        /// <summary>Shared memory of a block: from a multiple of 1,024 bytes on tiles of rows, then of weights; in their place the sums.</summary>
        public int Bytes(Rings rings, int inputs, int outputs, int rows)
        {
            var stages = inputs / TileInputs / StageTiles;
            var (rowTile, weightTile) = ((rows + 7) / 8 * 8 * TileInputs * sizeof(ushort), outputs * TileInputs * sizeof(ushort));
            var tiles = StageTiles * ((Math.Min(rings.RowStages, stages) * rowTile) + (Math.Min(rings.WeightStages, stages) * weightTile));
            // A product reads the rows of all groups, whether they are there or not.
            var last = (Groups * 64 * TileInputs * sizeof(ushort)) - rowTile;
            return TileAlignment + Math.Max(tiles + last, Groups * 64 * (outputs + 4) * sizeof(float));
        }
    }
}
