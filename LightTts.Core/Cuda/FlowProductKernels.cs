using static LightTts.Cuda.CudaKernel;

namespace LightTts.Cuda;

/// <summary>Matrix products of the flow's transformer with what stands around them (flow_products.cu), for few rows: five launches a layer
/// with the attention. All arguments but numbers are addresses.</summary>
/// <param name="module">The compiled source.</param>
/// <param name="dim">Width of the transformer.</param>
/// <param name="hidden">Of its feed-forward part.</param>
internal sealed class FlowProductKernels(CudaModule module, int dim, int hidden)
{
    public const string Source = "flow_products.cu", GroupSource = "flow_products_group.cu";

    /// <summary>Rows up to which these are faster than the library's products: measured at full size on an H100.</summary>
    public const int MaxRows = 128;

    private const int Threads = 256;
    private const int SlotOutputs = 32, SlotRows = 32; // of a block that adds to the residual stream
    private const int NormedRows = 64;
    private const int GroupTiles = 4, GroupInputs = 64;
    private const int ProjectedOutputs = 48, UpOutputs = 32;

    private readonly CudaKernel _project = module.Kernel(module.HasGroups ? "flow_project_group" : "flow_project_few");
    private readonly CudaKernel _out = module.Kernel("flow_out_few");
    private readonly CudaKernel _up = module.Kernel(module.HasGroups ? "flow_up_group" : "flow_up_few");
    private readonly CudaKernel _down = module.Kernel("flow_down_few");

    /// <summary>Whether there are kernels for these sizes.</summary>
    /// <param name="dim">Width of the transformer.</param>
    /// <param name="hidden">Of its feed-forward part.</param>
    /// <param name="sharedBytes">Shared memory that a block may have.</param>
    public static bool Fits(int dim, int hidden, int sharedBytes) => dim % 256 == 0 && dim <= 2048 && hidden % 256 == 0
        && Math.Max(Math.Max(SharedBytes(dim, ProjectedOutputs), GroupBytes(dim, NormedRows, ProjectedOutputs) + 2048),
            SharedBytes(hidden, SlotOutputs)) <= sharedBytes;

    /// <summary>Bytes of the moments of a row.</summary>
    public static int MomentBytes(int dim) => dim / SlotOutputs * 2 * sizeof(float);

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
        _project.Launch(stream, (3 * dim / ProjectedOutputs, Blocks(rows, NormedRows), 1), Threads, NormedBytes(rows, ProjectedOutputs),
            afterKernel: true, x.Scaled, x.Moments, product.Weight, product.Slope, product.Offset, turns, places, Argument(columns), qkv, pages,
            Argument(rows), Argument(epsilon));

    /// <summary>Norm, modulation, product and GELU: y [rows, hidden].</summary>
    public void Up(nint stream, int rows, in Stream x, in Normed product, nint y, float epsilon) =>
        _up.Launch(stream, (hidden / UpOutputs, Blocks(rows, NormedRows), 1), Threads, NormedBytes(rows, UpOutputs),
            afterKernel: true, x.Scaled, x.Moments, product.Weight, product.Slope, product.Offset, y, Argument(rows), Argument(epsilon));

    /// <summary>h += gate * (y Wᵀ + bias), for y [rows, dim]; scaled for the next norm.</summary>
    public void AddAttended(nint stream, int rows, nint y, in Added product, in Stream x) => Add(_out, dim, stream, rows, y, product, x);

    /// <summary>The same for y [rows, hidden].</summary>
    public void AddDown(nint stream, int rows, nint y, in Added product, in Stream x) => Add(_down, hidden, stream, rows, y, product, x);

    private void Add(CudaKernel kernel, int inputs, nint stream, int rows, nint y, in Added product, in Stream x) =>
        kernel.Launch(stream, (dim / SlotOutputs, Blocks(rows, SlotRows), 1), Threads, SharedBytes(inputs, SlotOutputs), afterKernel: true, y,
            product.Weight, product.Bias, product.Gate, product.NextScale, x.Values, x.Scaled, x.Moments, Argument(rows));

    private static int Blocks(int rows, int of) => (rows + of - 1) / of;

    private int NormedBytes(int rows, int outputs) =>
        module.HasGroups ? GroupBytes(dim, Blocks(rows, Blocks(rows, NormedRows)), outputs) : SharedBytes(dim, outputs);

    // Of groups of warps, which add up by themselves: tiles of rows, and the weights, from a multiple of 1,024 bytes on.
    private static int GroupBytes(int inputs, int rows, int outputs) =>
        Math.Max((GroupTiles * (Blocks(rows, 8) * 8) * GroupInputs + outputs * inputs) * sizeof(ushort),
            NormedRows * (outputs + 8) * sizeof(float)) + 1024;

    // The weights, then the sums of each part of the inputs.
    private static int SharedBytes(int inputs, int outputs) =>
        Math.Max(outputs * (inputs + 32) * sizeof(ushort), Threads * (outputs + 8) * sizeof(float));

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
