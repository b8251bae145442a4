using LightTts.Cuda;
using LightTts.Torch;
using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Flow.DiT;

/// <summary>Both ends of the transformer in four launches: input projection, the two positional convolutions, last norm and output
/// (flow_embed.cu).</summary>
internal sealed class DiTFusedEnds : IDisposable
{
    private const float NormEps = 1e-6f;

    private readonly DiTWeights _weights;
    private readonly DiTPages _pages;
    private readonly CudaDiTOperations _operations;
    private readonly FlowEndKernels _kernels;
    private readonly DiTStep _step;
    private readonly (Tensor Weight, Tensor Bias)[] _convolutions;
    private readonly Tensor _input, _output;

    /// <param name="weights">The transformer's; they fit.</param>
    /// <param name="pages">Where the convolutions' inputs are kept.</param>
    /// <param name="operations">With kernels.</param>
    /// <param name="step">The step's modulation.</param>
    public DiTFusedEnds(DiTWeights weights, DiTPages pages, CudaDiTOperations operations, DiTStep step)
    {
        (_weights, _pages, _operations, _step, _kernels) = (weights, pages, operations, step, operations.Kernels.Ends!);
        _convolutions = [Taps(weights.Conv1, weights.Conv1Bias), Taps(weights.Conv2, weights.Conv2Bias)];
        _input = Fours(((TorchLinear)weights.InputX).Weight);
        _output = Pairs(((TorchLinear)weights.Output).Weight);
    }

    /// <summary>Whether there are kernels for it.</summary>
    public static bool Fits(DiTWeights weights, DiTOperations operations) => operations is CudaDiTOperations { Kernels.Ends: not null }
        && weights is
        {
            Groups: FlowEndKernels.Groups, ConvTail: FlowEndKernels.Tail, InputX: TorchLinear { Bias: null }, Output: TorchLinear { Bias: not null },
        };

    /// <summary>The embedded input.</summary>
    /// <param name="buffers">The batch's inputs.</param>
    /// <param name="residual">Where it goes.</param>
    public void Enter(DiTStepBuffers buffers, in FlowProductKernels.Stream residual)
    {
        using var scope = NewDisposeScope();
        var (shape, stream, dim) = (buffers.Shape, _operations.Stream, _weights.Config.Dim);
        nint Room() => empty(2L * shape.Rows * shape.Frames, dim, ScalarType.BFloat16, buffers.Mel.device).Address();
        var first = shape.IsPaged ? _pages.Convolutions.Address() : Room();
        var second = shape.IsPaged ? first + dim * sizeof(ushort) : Room();
        var blocks = new FlowEndKernels.Blocks(shape.Rows, shape.Frames, shape.IsPaged ? 2 * dim : dim, buffers.Places?.Address() ?? 0,
            buffers.Columns);
        _kernels.Embed(stream, blocks, buffers.Mel.Address(), _input.Address(), buffers.Constant.Address(),
            residual.Values, first);
        _kernels.Convolve(stream, blocks, first, _convolutions[0].Weight.Address(), _convolutions[0].Bias.Address(), second);
        _kernels.ConvolveAdd(stream, blocks, second, _convolutions[1].Weight.Address(), _convolutions[1].Bias.Address(), residual,
            _step.Blocks[0].Scale1.Address());
    }

    /// <summary>The velocity.</summary>
    /// <param name="h">[2 Rows Frames, Dim], float32.</param>
    /// <param name="attended">What it lacks of the last block; nothing: it is whole.</param>
    /// <param name="down">Likewise.</param>
    /// <param name="buffers">Where it goes.</param>
    public void Leave(Tensor h, in FlowKernels.Gated attended, in FlowKernels.Gated down, DiTStepBuffers buffers)
    {
        var output = (TorchLinear)_weights.Output;
        _kernels.Leave(_operations.Stream, (int)h.shape[0], h.Address(), attended, down, new(_step.Scale.Address(), _step.Shift.Address(), NormEps),
            _output.Address(), output.Bias!.Address(), buffers.Velocity.Address());
    }

    public void Dispose()
    {
        _input.Dispose();
        _output.Dispose();
        foreach (var (weight, bias) in _convolutions)
        {
            weight.Dispose();
            bias.Dispose();
        }
    }

    /// <summary>[n, m] -> [m / 4, n, 4]: what neighbouring lanes read is side by side.</summary>
    private static Tensor Fours(Tensor weight)
    {
        using var scope = NewDisposeScope();
        return weight.view(weight.shape[0], -1, 4).transpose(0, 1).contiguous().clone().DetachFromDisposeScope();
    }

    /// <summary>[n, m] in 32 bits -> [2, n, m]: in bfloat16, and what that lacks.</summary>
    private static Tensor Pairs(Tensor weight)
    {
        using var scope = NewDisposeScope();
        var large = weight.to(ScalarType.BFloat16);
        return stack([large, weight.add(large.to(ScalarType.Float32), Scalars.Of(-1)).to(ScalarType.BFloat16)], 0).DetachFromDisposeScope();
    }

    /// <summary>[Dim, channels, kernel] -> [Dim, kernel + 1, channels], the last tap zeros; neighbours of a window are neighbours in
    /// memory.</summary>
    private static (Tensor Weight, Tensor Bias) Taps(Tensor weight, Tensor bias)
    {
        using var scope = NewDisposeScope();
        var taps = nn.functional.pad(weight, [0, 1]).permute(0, 2, 1).to(ScalarType.BFloat16).contiguous().clone();
        return (taps.DetachFromDisposeScope(), bias.to(ScalarType.Float32).clone().DetachFromDisposeScope());
    }
}
