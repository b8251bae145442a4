using static LightTts.Cuda.CudaKernel;

namespace LightTts.Cuda;

/// <summary>Matrix products of the flow's transformer with what stands around them (flow_slices.cu), for a few hundred rows, by clusters of blocks:
/// five launches a layer with the attention. All arguments but numbers are addresses.</summary>
/// <param name="module">The compiled source.</param>
/// <param name="dim">Width of the transformer.</param>
/// <param name="hidden">Of its feed-forward part.</param>
/// <param name="wide">By products of 64 rows (flow_slices_wide.cu).</param>
internal sealed class FlowSliceKernels(CudaModule module, int dim, int hidden, bool wide)
{
    public const string Source = "flow_slices.cu", WideSource = "flow_slices_wide.cu";

    private const int Threads = 256;
    private const int Rows = 104; // of a cluster: with so many two blocks fit on a processor, of which one waits for the other with its weights

    private readonly Sliced _project = new(module, wide ? "flow_project_wide" : "flow_project_4", dim, 96, 4);
    private readonly Sliced _up = new(module, wide ? "flow_up_wide" : "flow_up_4", dim, 64, 4);
    private readonly Sliced _out = wide ? new(module, "flow_out_wide", dim, 64, 8) : new(module, "flow_out_4", dim, 32, 4);
    private readonly Sliced _outOfEight = new(module, wide ? "flow_out_wide" : "flow_out_8", dim, 64, 8);
    private readonly Sliced _projectOfTwo = new(module, "flow_project_2", dim, 48, 2);
    private readonly Sliced _upOfTwo = new(module, "flow_up_2", dim, 32, 2);
    private readonly Sliced _down = new(module, wide ? "flow_down_wide" : "flow_down_8", hidden, 64, 8);

    /// <summary>Whether there are kernels for these sizes.</summary>
    /// <param name="module">The compiled source.</param>
    /// <param name="dim">Width of the transformer.</param>
    /// <param name="hidden">Of its feed-forward part.</param>
    /// <param name="sharedBytes">Shared memory that a block may have.</param>
    public static bool Fits(CudaModule module, int dim, int hidden, int sharedBytes) => module.IsLarge && dim % 256 == 0 && dim <= 2048
        && hidden % 256 == 0 && Math.Max(SharedBytes(Rows, dim / 4, 96), SharedBytes(Rows, hidden / 8, 64)) <= sharedBytes - 2048;

    /// <summary>Norm, modulation, queries, keys and values with rotary positions: where they go is said at the kernel.</summary>
    /// <param name="stream">Where.</param>
    /// <param name="rows">2 frames.</param>
    /// <param name="x">The residual stream as the products that add to it leave it.</param>
    /// <param name="product">The weight, and the step's numbers for it.</param>
    /// <param name="turns">[frames, head size].</param>
    /// <param name="places">[blocks, columns].</param>
    /// <param name="columns">Places of a block.</param>
    /// <param name="qkv">[rows, 3 dim].</param>
    /// <param name="pages">[*, 2 dim]; 0: there are none.</param>
    /// <param name="epsilon">Of the norm.</param>
    /// <param name="ofTwo">By clusters of two blocks.</param>
    public void Project(nint stream, int rows, in FlowProductKernels.Stream x, in FlowProductKernels.Normed product, nint turns, nint places,
        int columns, nint qkv, nint pages, float epsilon, bool ofTwo = false) =>
        (ofTwo ? _projectOfTwo : _project).Launch(stream, rows, 3 * dim, x.Scaled, x.Moments, product.Weight, product.Slope, product.Offset,
            turns, places, Argument(columns), qkv, pages, Argument(rows), Argument(epsilon));

    /// <summary>Norm, modulation, product and GELU: y [rows, hidden].</summary>
    public void Up(nint stream, int rows, in FlowProductKernels.Stream x, in FlowProductKernels.Normed product, nint y, float epsilon,
        bool ofTwo = false) =>
        (ofTwo ? _upOfTwo : _up).Launch(stream, rows, hidden, x.Scaled, x.Moments, product.Weight, product.Slope, product.Offset, y, Argument(rows),
            Argument(epsilon));

    /// <summary>h += gate * (y Wᵀ + bias), for y [rows, dim]; scaled for the next norm.</summary>
    public void AddAttended(nint stream, int rows, nint y, in FlowProductKernels.Added product, in FlowProductKernels.Stream x) =>
        AddAttended(stream, rows, y, product, x, ofEight: false);

    /// <summary>The same by clusters of four blocks or of eight.</summary>
    public void AddAttended(nint stream, int rows, nint y, in FlowProductKernels.Added product, in FlowProductKernels.Stream x,
        bool ofEight) => (ofEight ? _outOfEight : _out).Launch(stream, rows, dim, y, product.Weight, product.Bias, product.Gate,
            product.NextScale, x.Values, x.Scaled, x.Moments, Argument(rows));

    /// <summary>The same for y [rows, hidden].</summary>
    public void AddDown(nint stream, int rows, nint y, in FlowProductKernels.Added product, in FlowProductKernels.Stream x) =>
        _down.Launch(stream, rows, dim, y, product.Weight, product.Bias, product.Gate, product.NextScale, x.Values, x.Scaled, x.Moments,
            Argument(rows));

    // The weights' slice and the rows', then the sums; more than either kind needs.
    private static int SharedBytes(int rows, int slice, int outputs) =>
        Math.Max((outputs + (rows + 7) / 8 * 8) * (slice + 8) * sizeof(ushort), rows * (outputs + 8) * sizeof(float)) + 1024;

    // A product by clusters of so many blocks, which share its inputs out, for so many outputs each.
    private sealed class Sliced(CudaModule module, string name, int inputs, int outputs, int cluster)
    {
        private readonly CudaKernel _kernel = module.Kernel(name);

        public void Launch(nint stream, int rows, int allOutputs, params ReadOnlySpan<long> arguments)
        {
            var blocks = (rows + Rows - 1) / Rows;
            _kernel.Launch(stream, (allOutputs / outputs * cluster, blocks, 1), Threads,
                SharedBytes((rows + blocks - 1) / blocks, inputs / cluster, outputs), afterKernel: true, arguments);
        }
    }
}
