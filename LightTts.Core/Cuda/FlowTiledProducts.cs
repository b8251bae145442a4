using static LightTts.Cuda.CudaKernel;

namespace LightTts.Cuda;

/// <summary>By groups of warps, out of tiles that come by themselves (flow_products_tiles.cu).</summary>
/// <param name="module">The compiled source; it has groups.</param>
/// <param name="dim">Width of the transformer.</param>
/// <param name="hidden">Of its feed-forward part.</param>
internal sealed class FlowTiledProducts(CudaModule module, int dim, int hidden) : FlowProductKernels
{
    public const string RowsSource = "flow_tiled_rows.cuh", OwnSource = "flow_products_tiles.cu";

    private const int BlockRows = 64;
    private const int NormedThreads = 128 + 256, AddedThreads = 128 + 32;
    private const int TileInputs = 64, StageTiles = 2, TileAlignment = 1024;
    private const int AddedOutputs = 16;

    // Outputs of a block, and stages of the rows' and the weights' rings: as in the source.
    private static readonly Rings OfProject = new(48, 4, 4), OfUp = new(32, 5, 5), OfOut = new(AddedOutputs, 5, 8), OfDown = new(AddedOutputs, 6, 6);

    private readonly CudaKernel _project = module.Kernel("flow_project_tiles");
    private readonly CudaKernel _out = module.Kernel("flow_out_tiles");
    private readonly CudaKernel _up = module.Kernel("flow_up_tiles");
    private readonly CudaKernel _down = module.Kernel("flow_down_tiles");

    public override int MaxRows => 256;

    public override int MomentNumbers => AddedOutputs;

    public override void Project(nint stream, int rows, in Stream x, in Normed product, nint turns, nint places, int columns, nint qkv, nint pages,
        float epsilon)
    {
        var (blocks, each) = Share(rows);
        _project.Launch(stream, (blocks, 3 * dim / OfProject.Outputs, 1), NormedThreads, OfProject.Bytes(dim, each), afterKernel: true,
            [TensorMap.Of(x.Scaled, rows, dim, each), TensorMap.Of(product.Weight, 3 * dim, dim, OfProject.Outputs)],
            [
                x.Moments, product.Slope, product.Offset, turns, places, Argument(columns), qkv, pages, Argument(rows), Argument(each),
                Argument(epsilon),
            ]);
    }

    public override void Up(nint stream, int rows, in Stream x, in Normed product, nint y, float epsilon)
    {
        var (blocks, each) = Share(rows);
        _up.Launch(stream, (blocks, hidden / OfUp.Outputs, 1), NormedThreads, OfUp.Bytes(dim, each), afterKernel: true,
            [TensorMap.Of(x.Scaled, rows, dim, each), TensorMap.Of(product.Weight, hidden, dim, OfUp.Outputs)],
            [x.Moments, product.Slope, product.Offset, y, Argument(rows), Argument(each), Argument(epsilon)]);
    }

    public override void AddAttended(nint stream, int rows, nint y, in Added product, in Stream x) =>
        Add(_out, OfOut, dim, stream, rows, y, product, x);

    public override void AddDown(nint stream, int rows, nint y, in Added product, in Stream x) =>
        Add(_down, OfDown, hidden, stream, rows, y, product, x);

    private void Add(CudaKernel kernel, Rings rings, int inputs, nint stream, int rows, nint y, in Added product, in Stream x)
    {
        var (blocks, each) = Share(rows);
        kernel.Launch(stream, (blocks, dim / rings.Outputs, 1), AddedThreads, rings.Bytes(inputs, each), afterKernel: true,
            [TensorMap.Of(y, rows, inputs, each), TensorMap.Of(product.Weight, dim, inputs, rings.Outputs)],
            [product.Bias, product.Gate, product.NextScale, x.Values, x.Scaled, x.Moments, Argument(rows), Argument(each)]);
    }

    // As many rows for every block: what is read is what takes time.
    private static (int Blocks, int Each) Share(int rows)
    {
        var blocks = Blocks(rows, BlockRows);
        return (blocks, Blocks(rows, blocks));
    }

    /// <summary>A block's shared memory.</summary>
    private readonly record struct Rings(int Outputs, int RowStages, int WeightStages)
    {
        /// <summary>From a multiple of 1,024 bytes on: tiles of rows, then of weights; in their place the sums.</summary>
        public int Bytes(int inputs, int rows)
        {
            var stages = inputs / TileInputs / StageTiles;
            var (rowTile, weightTile) = ((rows + 7) / 8 * 8 * TileInputs * sizeof(ushort), Outputs * TileInputs * sizeof(ushort));
            var tiles = StageTiles * ((Math.Min(RowStages, stages) * rowTile) + (Math.Min(WeightStages, stages) * weightTile));
            // A product reads 64 rows, whether they are there or not.
            var last = (BlockRows * TileInputs * sizeof(ushort)) - rowTile;
            return TileAlignment + Math.Max(tiles + last, BlockRows * (Outputs + 4) * sizeof(float));
        }
    }
}
