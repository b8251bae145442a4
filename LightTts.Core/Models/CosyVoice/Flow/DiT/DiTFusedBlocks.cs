using LightTts.Cuda;
using LightTts.Torch;
using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Flow.DiT;

/// <summary>The transformer's blocks for few rows, in five launches each: norms, modulation, rotary positions, gates and GELU are parts of the
/// products (flow_products.cu), each of which is on its way before the one before it has ended.</summary>
internal sealed class DiTFusedBlocks
{
    private const float NormEps = 1e-6f;

    private readonly DiTPages _pages;
    private readonly CudaDiTOperations _operations;
    private readonly FlowAttentionKernel _attention;
    private readonly Block[] _blocks;
    private readonly long _dim, _hidden;

    /// <param name="weights">The transformer's; they fit.</param>
    /// <param name="pages">Where keys and values are kept.</param>
    /// <param name="operations">What the device does it with otherwise.</param>
    /// <param name="step">The step's modulation, at the beginning of the following.</param>
    /// <param name="modulation">A row of <see cref="DiTSchedule.Table"/>, folded.</param>
    public DiTFusedBlocks(DiTWeights weights, DiTPages pages, CudaDiTOperations operations, DiTStep step, Tensor modulation)
    {
        (_pages, _operations, _dim, _hidden) = (pages, operations, weights.Config.Dim, weights.Blocks[0].Up.Outputs);
        _attention = operations.Kernels.Attention!;
        var table = modulation.Address();
        nint At(long place) => table + (nint)(place * sizeof(float));
        static nint Weight(Linear linear) => ((TorchLinear)linear).Weight.Address();
        static nint Bias(Linear linear) => ((TorchLinear)linear).Bias!.Address();
        _blocks = [.. weights.Blocks.Select((block, i) =>
        {
            var (slope1, offset1, slope2, offset2) = DiTFold.Places(weights, i);
            var own = step.Blocks[i];
            var next = i + 1 < weights.Blocks.Length ? step.Blocks[i + 1].Scale1 : step.Scale;
            return new Block(new(Weight(block.Qkv), At(slope1), At(offset1)), new(Weight(block.Up), At(slope2), At(offset2)),
                new(Weight(block.AttentionOut), Bias(block.AttentionOut), own.Gate1.Address(), own.Scale2.Address()),
                new(Weight(block.Down), Bias(block.Down), own.Gate2.Address(), next.Address()));
        })];
    }

    /// <summary>Whether there are kernels for it.</summary>
    public static bool Fits(DiTWeights weights, DiTOperations operations) => operations is CudaDiTOperations { Kernels.Products: not null }
        && weights.Blocks.SelectMany(block => (Linear[])[block.Qkv, block.AttentionOut, block.Up, block.Down])
            .All(product => product is TorchLinear { Bias: not null });

    /// <summary>Whether a shape has few enough rows: of many the library's products are faster, although they take more launches.</summary>
    public bool Takes(DiTShape shape) => 2 * shape.Rows * shape.Frames <= _operations.Kernels.Products!.MaxRows;

    /// <summary>Room for a residual stream, in the caller's dispose scope.</summary>
    /// <param name="h">[2 Rows Frames, Dim], float32.</param>
    public FlowProductKernels.Stream Residual(Tensor h) => new(h.Address(), empty(h.shape, ScalarType.BFloat16, h.device).Address(),
        empty(h.shape[0], 2 * _dim / FlowProductKernels.MomentNumbers, ScalarType.Float32, h.device).Address());

    /// <summary>All blocks, in place.</summary>
    /// <param name="residual">As <see cref="DiTFusedEnds.Enter"/> leaves it.</param>
    /// <param name="buffers">The batch's inputs.</param>
    public void Run(in FlowProductKernels.Stream residual, DiTStepBuffers buffers)
    {
        using var scope = NewDisposeScope();
        var (shape, stream) = (buffers.Shape, _operations.Stream);
        var rows = 2 * shape.Rows * shape.Frames;
        var products = _operations.Kernels.Products!;
        nint Room(long width) => empty([rows, width], ScalarType.BFloat16, buffers.Mel.device).Address();
        var (qkv, attended, up) = (Room(3 * _dim), Room(_dim), Room(_hidden));
        var (turns, places, seen) = (buffers.Rotations.Address(), buffers.Places?.Address() ?? 0, buffers.Seen.Address());
        for (var i = 0; i < _blocks.Length; i++)
        {
            var block = _blocks[i];
            var pages = shape.IsPaged ? _pages.Layer(i).Rows() : default;
            products.Project(stream, rows, residual, block.Project, turns, places, buffers.Columns, qkv, pages.Address, NormEps);
            _attention.Launch(stream, (shape.Rows, shape.Frames, buffers.Columns), qkv, pages, places, seen, attended, afterKernel: true);
            products.AddAttended(stream, rows, attended, block.Out, residual);
            products.Up(stream, rows, residual, block.Up, up, NormEps);
            products.AddDown(stream, rows, up, block.Down, residual);
        }
    }

    private sealed record Block(FlowProductKernels.Normed Project, FlowProductKernels.Normed Up, FlowProductKernels.Added Out,
        FlowProductKernels.Added Down);
}
