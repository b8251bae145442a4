using static LightTts.Cuda.CudaKernel;

namespace LightTts.Cuda;

/// <summary>What stands around the matrix products of the flow's transformer (flow.cu), and, where the sizes allow them, its attention and its
/// products. All arguments but numbers are addresses.</summary>
internal sealed class FlowKernels : IDisposable
{
    private const int BlockRows = 4; // a warp for each
    private const int RowThreads = 32 * BlockRows;

    private readonly CudaModule _module;
    private readonly CudaKernel _normalise;
    private readonly CudaKernel _normaliseSum;
    private readonly CudaKernel _addAndNormalise;
    private readonly CudaKernel _turn;

    /// <param name="module">The compiled sources; disposed with this.</param>
    /// <param name="shape">What it was compiled for.</param>
    /// <param name="sharedBytes">Shared memory that a block may have.</param>
    public FlowKernels(CudaModule module, FlowKernelShape shape, int sharedBytes)
    {
        (_module, _turn) = (module, module.Kernel("flow_turn"));
        (_normalise, _normaliseSum, _addAndNormalise) =
            (module.Kernel("flow_normalise"), module.Kernel("flow_normalise_sum"), module.Kernel("flow_add_normalise"));
        Steps = new FlowStepKernels(module);
        if (!shape.HasTensorCores)
            return;
        Attention = new FlowAttentionKernel(module, shape.Heads, shape.PageFrames, sharedBytes);
        if (FlowEndKernels.Fits(shape.Dim, shape.MelBands)
            && FlowProductKernels.TryCreate(module, shape.Dim, shape.Hidden, sharedBytes) is { } products)
            (Products, Ends) = (products, new FlowEndKernels(module, shape.Dim, shape.MelBands));
    }

    /// <summary>Files of Cuda/Kernels.</summary>
    public static IReadOnlyList<string> Sources { get; } =
    [
        "tiles.cuh", "tensor_map.cuh", "flow.cu", FlowAttentionKernel.Source, FlowAttentionKernel.PagesSource, FlowProductKernels.Source,
        FlowFewProducts.OwnSource, FlowTiledProducts.RowsSource, FlowTiledProducts.OwnSource, FlowEndKernels.Source, FlowEndKernels.WideSource,
        FlowEndKernels.LeaveSource, FlowStepKernels.Source,
    ];

    public FlowStepKernels Steps { get; }

    /// <summary>Null where there is none.</summary>
    public FlowAttentionKernel? Attention { get; }

    /// <summary>Null where there are none for these sizes.</summary>
    public FlowProductKernels? Products { get; }

    /// <summary>There where <see cref="Products"/> are.</summary>
    public FlowEndKernels? Ends { get; }

    /// <summary>y = norm of h, all [rows, dim].</summary>
    public void Normalise(nint stream, int rows, nint h, in Norm norm, nint y) =>
        _normalise.Launch(stream, Blocks(rows), RowThreads, 0, afterKernel: false, h, norm.Scale, norm.Shift, y, Argument(rows),
            Argument(norm.Epsilon));

    /// <summary>y = norm of h + gate branch, all [rows, dim]; h stays. Of these the branch alone may come from the kernel before.</summary>
    public void NormaliseSum(nint stream, int rows, nint h, in Gated branch, in Norm norm, nint y) =>
        _normaliseSum.Launch(stream, Blocks(rows), RowThreads, 0, afterKernel: true, h, branch.Branch, branch.Gate, norm.Scale, norm.Shift, y,
            Argument(rows), Argument(norm.Epsilon));

    /// <summary>h += both branches, each with its gate; y = norm of h, all [rows, dim]. Of these the second branch alone may come from the kernel
    /// before.</summary>
    public void AddAndNormalise(nint stream, int rows, nint h, in Gated first, in Gated second, in Norm norm, nint y) =>
        _addAndNormalise.Launch(stream, Blocks(rows), RowThreads, 0, afterKernel: true, h, first.Branch, first.Gate, second.Branch, second.Gate,
            norm.Scale, norm.Shift, y, Argument(rows), Argument(norm.Epsilon));

    /// <param name="stream">Where.</param>
    /// <param name="frames">Frames of a guidance row.</param>
    /// <param name="qkv">[2 frames, 3 dim].</param>
    /// <param name="turns">[frames, head dim].</param>
    /// <param name="pages">[rows, 2 dim]; 0: keys and values stay where they are.</param>
    /// <param name="places">[blocks, columns], of which the last is where a block's own page begins.</param>
    /// <param name="columns">Places of a block.</param>
    public void Turn(nint stream, int frames, nint qkv, nint turns, nint pages, nint places, int columns) =>
        _turn.Launch(stream, Blocks(2 * frames), RowThreads, 0, afterKernel: true, qkv, turns, Argument(frames), pages, places, Argument(columns));

    public void Dispose() => _module.Dispose();

    private static (int X, int Y, int Z) Blocks(int rows) => ((rows + BlockRows - 1) / BlockRows, 1, 1);

    /// <summary>A layer norm with modulation.</summary>
    /// <param name="Scale">[dim] in 32 bits.</param>
    /// <param name="Shift">Likewise.</param>
    /// <param name="Epsilon">Added to the variance.</param>
    public readonly record struct Norm(nint Scale, nint Shift, float Epsilon);

    /// <summary>What a layer adds to the residual stream.</summary>
    /// <param name="Branch">[rows, dim] in the type of the products.</param>
    /// <param name="Gate">[dim] in 32 bits.</param>
    public readonly record struct Gated(nint Branch, nint Gate);
}
