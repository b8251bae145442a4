using static LightTts.Cuda.CudaKernel;

namespace LightTts.Cuda;

/// <summary>By single warps (flow_products_few.cu).</summary>
/// <param name="module">The compiled source.</param>
/// <param name="dim">Width of the transformer.</param>
/// <param name="hidden">Of its feed-forward part.</param>
internal sealed class FlowFewProducts(CudaModule module, int dim, int hidden) : FlowProductKernels
{
    public const string OwnSource = "flow_products_few.cu";

    private const int Threads = 256;
    private const int SlotOutputs = MomentNumbers, SlotRows = 32; // of a block that adds to the residual stream
    private const int NormedRows = 64;
    private const int ProjectedOutputs = 48, UpOutputs = 32;

    private readonly CudaKernel _project = module.Kernel("flow_project_few");
    private readonly CudaKernel _out = module.Kernel("flow_out_few");
    private readonly CudaKernel _up = module.Kernel("flow_up_few");
    private readonly CudaKernel _down = module.Kernel("flow_down_few");

    public override int MaxRows => 128;

    /// <summary>Whether a block's shared memory is enough for these sizes.</summary>
    public static bool Fits(int dim, int hidden, int sharedBytes) =>
        Math.Max(SharedBytes(dim, ProjectedOutputs), SharedBytes(hidden, SlotOutputs)) <= sharedBytes;

    public override void Project(nint stream, int rows, in Stream x, in Normed product, nint turns, nint places, int columns, nint qkv, nint pages,
        float epsilon) =>
        _project.Launch(stream, (3 * dim / ProjectedOutputs, Blocks(rows, NormedRows), 1), Threads, SharedBytes(dim, ProjectedOutputs),
            afterKernel: true, x.Scaled, x.Moments, product.Weight, product.Slope, product.Offset, turns, places, Argument(columns), qkv, pages,
            Argument(rows), Argument(epsilon));

    public override void Up(nint stream, int rows, in Stream x, in Normed product, nint y, float epsilon) =>
        _up.Launch(stream, (hidden / UpOutputs, Blocks(rows, NormedRows), 1), Threads, SharedBytes(dim, UpOutputs),
            afterKernel: true, x.Scaled, x.Moments, product.Weight, product.Slope, product.Offset, y, Argument(rows), Argument(epsilon));

    public override void AddAttended(nint stream, int rows, nint y, in Added product, in Stream x) => Add(_out, dim, stream, rows, y, product, x);

    public override void AddDown(nint stream, int rows, nint y, in Added product, in Stream x) => Add(_down, hidden, stream, rows, y, product, x);

    private void Add(CudaKernel kernel, int inputs, nint stream, int rows, nint y, in Added product, in Stream x) =>
        kernel.Launch(stream, (dim / SlotOutputs, Blocks(rows, SlotRows), 1), Threads, SharedBytes(inputs, SlotOutputs), afterKernel: true, y,
            product.Weight, product.Bias, product.Gate, product.NextScale, x.Values, x.Scaled, x.Moments, Argument(rows));

    // The weights, then the sums of each part of the inputs.
    private static int SharedBytes(int inputs, int outputs) =>
        Math.Max(outputs * (inputs + 32) * sizeof(ushort), Threads * (outputs + 8) * sizeof(float));
}
