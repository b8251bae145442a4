using static LightTts.Cuda.CudaKernel;

namespace LightTts.Cuda;

/// <summary>What stands around the matrix products of the flow's transformer (flow.cu), and, where the sizes allow them, its attention and its
/// products. All arguments but numbers are addresses.</summary>
internal sealed class FlowKernels : IDisposable
{
    private const int Threads = 256;

    private readonly CudaModule _module;
    private readonly CudaKernel _normalise;
    private readonly CudaKernel _addAndNormalise;
    private readonly CudaKernel _turn;

    /// <param name="module">The compiled sources; disposed with this.</param>
    /// <param name="shape">What it was compiled for.</param>
    /// <param name="sharedBytes">Shared memory that a block may have.</param>
    public FlowKernels(CudaModule module, FlowKernelShape shape, int sharedBytes)
    {
        (_module, _normalise, _addAndNormalise, _turn) =
            (module, module.Kernel("flow_normalise"), module.Kernel("flow_add_normalise"), module.Kernel("flow_turn"));
        if (!shape.HasTensorCores)
            return;
        Attention = new FlowAttentionKernel(module, shape.Heads, sharedBytes);
        if (FlowProductKernels.Fits(shape.Dim, shape.Hidden, sharedBytes) && FlowEndKernels.Fits(shape.Dim, shape.MelBands))
        {
            Products = new FlowProductKernels(module, shape.Dim, shape.Hidden);
            if (FlowSliceKernels.Fits(module, shape.Dim, shape.Hidden, sharedBytes))
                (Slices, WideSlices) = (new(module, shape.Dim, shape.Hidden, false),
                    module.HasGroups && shape.Dim % 512 == 0 && shape.Hidden % 512 == 0 ? new(module, shape.Dim, shape.Hidden, true) : null);
            Ends = new FlowEndKernels(module, shape.Dim, shape.MelBands);
        }
    }

    /// <summary>Files of Cuda/Kernels.</summary>
    public static IReadOnlyList<string> Sources { get; } =
        ["tiles.cuh", "flow.cu", FlowAttentionKernel.Source, FlowProductKernels.Source, FlowSliceKernels.Source, FlowSliceKernels.WideSource,
            FlowEndKernels.Source];

    /// <summary>Null where there is none.</summary>
    public FlowAttentionKernel? Attention { get; }

    /// <summary>Null where there are none for these sizes.</summary>
    public FlowProductKernels? Products { get; }

    /// <summary>Null where there are none for these sizes or this card.</summary>
    public FlowSliceKernels? Slices { get; }

    /// <summary>Null where there are none for these sizes or this card.</summary>
    public FlowSliceKernels? WideSlices { get; }

    /// <summary>There where <see cref="Products"/> are.</summary>
    public FlowEndKernels? Ends { get; }

    public void Normalise(nint stream, int rows, nint h, nint scale, nint shift, nint y, float epsilon) =>
        _normalise.Launch(stream, (rows, 1, 1), Threads, 0, afterKernel: false, h, scale, shift, y, Argument(epsilon));

    public void AddAndNormalise(nint stream, int rows, nint h, nint branch, nint gate, nint scale, nint shift, nint y, float epsilon) =>
        _addAndNormalise.Launch(stream, (rows, 1, 1), Threads, 0, afterKernel: false, h, branch, gate, scale, shift, y, Argument(epsilon));

    /// <param name="stream">Where.</param>
    /// <param name="frames">Frames of a guidance row.</param>
    /// <param name="qkv">[2 frames, 3 dim].</param>
    /// <param name="turns">[frames, head dim].</param>
    /// <param name="pages">[rows, 2 dim]; 0: keys and values stay where they are.</param>
    /// <param name="places">[blocks, columns], of which the last is where a block's own page begins.</param>
    /// <param name="columns">Places of a block.</param>
    public void Turn(nint stream, int frames, nint qkv, nint turns, nint pages, nint places, int columns) =>
        _turn.Launch(stream, (2 * frames, 1, 1), pages == 0 ? 32 : Threads, 0, afterKernel: false,
            qkv, turns, Argument(frames), pages, places, Argument(columns));

    public void Dispose() => _module.Dispose();
}
