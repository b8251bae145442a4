using static LightTts.Cuda.CudaKernel;

namespace LightTts.Cuda;

/// <summary>Matrix products of the flow's transformer with what stands around them (flow_products.cu, flow_wide.cu): with the attention, five
/// launches a layer. All arguments but numbers are addresses.</summary>
/// <param name="module">The compiled source.</param>
/// <param name="dim">Width of the transformer.</param>
/// <param name="hidden">Of its feed-forward part.</param>
/// <param name="tiles">What a block of threads computes.</param>
internal sealed class FlowProductKernels(CudaModule module, int dim, int hidden, FlowProductKernels.Tiles tiles)
{
    private readonly CudaKernel _project = module.Kernel($"flow_project_{tiles.Name}");
    private readonly CudaKernel _out = module.Kernel($"flow_out_{tiles.Name}");
    private readonly CudaKernel _up = module.Kernel($"flow_up_{tiles.Name}");
    private readonly CudaKernel _down = module.Kernel($"flow_down_{tiles.Name}");

    /// <summary>Files of Cuda/Kernels; the second needs the attention's.</summary>
    public static IReadOnlyList<string> Sources { get; } = ["flow_products.cu", "flow_wide.cu"];

    /// <summary>What a block of threads computes.</summary>
    public Tiles Size => tiles;

    /// <summary>Whether there are kernels for these sizes.</summary>
    /// <param name="dim">Width of the transformer.</param>
    /// <param name="hidden">Of its feed-forward part.</param>
    /// <param name="sharedBytes">Shared memory that a block may have.</param>
    public static bool Fits(int dim, int hidden, int sharedBytes) => dim % 256 == 0 && dim <= 2048 && hidden % 256 == 0
        && Tiles.All.All(tiles => Math.Max(tiles.SharedBytes(dim, tiles.ProjectOutputs), tiles.SharedBytes(hidden, tiles.AddOutputs)) <= sharedBytes);

    /// <summary>Bytes of the moments of a row.</summary>
    public static int MomentBytes(int dim) => dim / 32 * 2 * sizeof(float);

    /// <summary>Norm, modulation, queries, keys and values with rotary positions: where they go is said at the kernel.</summary>
    /// <param name="stream">Where.</param>
    /// <param name="rows">2 frames.</param>
    /// <param name="x">The residual stream as <see cref="AddAttended"/> leaves it.</param>
    /// <param name="product">The weight, and the step's numbers for it.</param>
    /// <param name="turns">[frames, head size].</param>
    /// <param name="places">[blocks, columns].</param>
    /// <param name="columns">Places of a block.</param>
    /// <param name="qkv">[rows, 3 dim].</param>
    /// <param name="pages">[*, 2 dim]; 0: there are none.</param>
    /// <param name="epsilon">Of the norm.</param>
    public void Project(nint stream, int rows, in Stream x, in Normed product, nint turns, nint places, int columns, nint qkv, nint pages,
        float epsilon) =>
        _project.Launch(stream, (3 * dim / tiles.ProjectOutputs, Blocks(rows, tiles.NormedRows), 1), tiles.Threads,
            tiles.SharedBytes(dim, tiles.ProjectOutputs), afterKernel: true, x.Scaled, x.Moments, product.Weight, product.Slope, product.Offset,
            turns, places, Argument(columns), qkv, pages, Argument(rows), Argument(epsilon));

    /// <summary>Norm, modulation, product and GELU: y [rows, hidden].</summary>
    public void Up(nint stream, int rows, in Stream x, in Normed product, nint y, float epsilon) =>
        _up.Launch(stream, (hidden / tiles.UpOutputs, Blocks(rows, tiles.NormedRows), 1), tiles.Threads, tiles.SharedBytes(dim, tiles.UpOutputs),
            afterKernel: true, x.Scaled, x.Moments, product.Weight, product.Slope, product.Offset, y, Argument(rows), Argument(epsilon));

    /// <summary>h += gate * (y Wᵀ + bias), for y [rows, dim]; scaled for the next norm.</summary>
    public void AddAttended(nint stream, int rows, nint y, in Added product, in Stream x) => Add(_out, dim, stream, rows, y, product, x);

    /// <summary>The same for y [rows, hidden].</summary>
    public void AddDown(nint stream, int rows, nint y, in Added product, in Stream x) => Add(_down, hidden, stream, rows, y, product, x);

    private void Add(CudaKernel kernel, int inputs, nint stream, int rows, nint y, in Added product, in Stream x) =>
        kernel.Launch(stream, (dim / tiles.AddOutputs, Blocks(rows, tiles.AddRows), 1), tiles.Threads, tiles.SharedBytes(inputs, tiles.AddOutputs),
            afterKernel: true, y, product.Weight, product.Bias, product.Gate, product.NextScale, x.Values, x.Scaled, x.Moments, Argument(rows));

    private static int Blocks(int rows, int of) => (rows + of - 1) / of;

    /// <summary>What a block of threads computes.</summary>
    /// <param name="Name">The kernels' last name.</param>
    /// <param name="Threads">Of a block.</param>
    /// <param name="NormedRows">Rows, of products behind a norm.</param>
    /// <param name="AddRows">Rows, of products that are added.</param>
    /// <param name="ProjectOutputs">Outputs of each product.</param>
    /// <param name="UpOutputs">Likewise.</param>
    /// <param name="AddOutputs">Likewise.</param>
    internal sealed record Tiles(string Name, int Threads, int NormedRows, int AddRows, int ProjectOutputs, int UpOutputs, int AddOutputs)
    {
        private const int Stages = 3, Chunk = 64;

        /// <summary>For few rows: all weights of a block in shared memory.</summary>
        public static Tiles Few { get; } = new("few", 256, 64, 32, 48, 32, 32);

        /// <summary>From few to many rows.</summary>
        public static IReadOnlyList<Tiles> All { get; } = [Few, new("64", 128, 128, 128, 64, 64, 64), new("128", 128, 128, 128, 128, 128, 128)];

        // The weights or the tiles of both sides, then the sums.
        internal int SharedBytes(int inputs, int outputs) => this == Few
            ? Math.Max(outputs * (inputs + 32) * sizeof(ushort), Threads * (outputs + 8) * sizeof(float))
            : Math.Max(Stages * (NormedRows + outputs) * Chunk * sizeof(ushort), NormedRows * (outputs + 8) * sizeof(float));
    }

    /// <summary>Where the residual stream lies.</summary>
    /// <param name="Values">[rows, dim] in 32 bits.</param>
    /// <param name="Scaled">[rows, dim] times the next norm's scale.</param>
    /// <param name="Moments">[rows, dim / 32] of two 32-bit numbers.</param>
    public readonly record struct Stream(nint Values, nint Scaled, nint Moments);

    /// <summary>A product behind a norm.</summary>
    /// <param name="Weight">[outputs, dim].</param>
    /// <param name="Slope">[outputs] weight times scale.</param>
    /// <param name="Offset">[outputs] weight times shift, and the bias.</param>
    public readonly record struct Normed(nint Weight, nint Slope, nint Offset);

    /// <summary>A product whose result is added to the residual stream.</summary>
    /// <param name="Weight">[dim, inputs].</param>
    /// <param name="Bias">[dim], as the weight.</param>
    /// <param name="Gate">[dim] in 32 bits.</param>
    /// <param name="NextScale">[dim] of the next norm, in 32 bits.</param>
    public readonly record struct Added(nint Weight, nint Bias, nint Gate, nint NextScale);
}
