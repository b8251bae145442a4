using LightTts.Cuda;
using LightTts.Torch;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace LightTts.Models.CosyVoice.Flow.DiT;

/// <summary>The diffusion transformer from buffers to buffers of one shape: nothing in it depends on values, so that it can be captured as it
/// is.</summary>
/// <remarks>The maths are <see cref="DiTEstimator"/>'s, with fewer launches: attention and convolutions see all blocks at once.</remarks>
internal sealed class DiTDeviceLayers : IDisposable
{
    private const double NormEps = 1e-6;

    private readonly DiTWeights _weights;
    private readonly DiTPages _pages;
    private readonly DiTPositional _positional;
    private readonly DiTOperations _operations;
    private readonly Tensor _modulation;
    private readonly DiTStep _step;
    private readonly DiTFusedBlocks? _fused;
    private readonly DiTFusedEnds? _ends;
    private readonly long _dim;

    public DiTDeviceLayers(DiTWeights weights, DiTPages pages, TorchDevice device)
    {
        (_weights, _pages, _dim) = (weights, pages, weights.Config.Dim);
        _positional = new DiTPositional(weights, device.Compute);
        _operations = DiTOperations.Create(weights.Config, weights.MelBands, pages.Frames, device);
        IsFolded = DiTFusedBlocks.Fits(weights, _operations) && DiTFusedEnds.Fits(weights, _operations);
        var width = DiTStep.Width(weights.Blocks.Length, _dim) + (IsFolded ? DiTFold.Width(weights) : 0);
        _modulation = zeros(width, dtype: ScalarType.Float32, device: device.Device).DetachFromDisposeScope();
        _step = DiTStep.Of(_modulation, weights.Blocks.Length, _dim);
        if (!IsFolded)
            return;
        _fused = new DiTFusedBlocks(weights, pages, (CudaDiTOperations)_operations, _step, _modulation);
        _ends = new DiTFusedEnds(weights, pages, (CudaDiTOperations)_operations, _step);
    }

    /// <summary>Modulation of the step that is computed: a row of <see cref="DiTSchedule.Table"/>.</summary>
    public Tensor Modulation => _modulation;

    /// <summary>Whether own kernels are at work.</summary>
    public bool HasOwnKernels => _operations is CudaDiTOperations;

    /// <summary>Whether attention is an own kernel, which looks at no mask.</summary>
    public bool CountsKeys => _operations is CudaDiTOperations { Kernels.Attention: not null };

    /// <summary>Whether modulation comes with <see cref="DiTFold"/>.</summary>
    public bool IsFolded { get; }

    /// <summary>Own kernels for the solver's steps, which are part of an evaluation then.</summary>
    public FlowStepKernels? Steps => (_operations as CudaDiTOperations)?.Kernels.Steps;

    /// <summary>One evaluation.</summary>
    public void Compute(DiTStepBuffers buffers)
    {
        using var scope = NewDisposeScope();
        var shape = (buffers.Shape.Rows, buffers.Shape.Frames);
        // What kernels may read ahead of their turn, modulation and places, is written here (FlowStepKernels.Begin).
        if (_operations is CudaDiTOperations own)
            own.Kernels.Steps.Begin(own.Stream, shape, buffers.Solve.Address(), _modulation.Address(), (int)_modulation.shape[0],
                buffers.Places?.Address() ?? 0, buffers.Columns, buffers.Mel.Address());
        if (IsFolded)
            ComputeFused(buffers);
        else
            ComputePlain(buffers);
        if (_operations is CudaDiTOperations kernels)
            kernels.Kernels.Steps.End(kernels.Stream, shape, buffers.Solve.Address(), buffers.Velocity.Address(), afterKernel: IsFolded);
    }

    public void Dispose()
    {
        _ends?.Dispose();
        _positional.Dispose();
        _operations.Dispose();
        _step.Dispose();
        _modulation.Dispose();
    }

    private void ComputePlain(DiTStepBuffers buffers)
    {
        using var places = DiTPlaces.Of(buffers);
        var paged = buffers.Shape.IsPaged;
        var h = _weights.InputX.Apply(buffers.Mel).unsqueeze(0).Plus(buffers.Constant).view(-1, _dim); // [2 Rows Frames, Dim]
        h.PlusInPlace(_positional.Apply(h, buffers.Shape, paged ? _pages.Convolutions : null, places));
        Blocks(h, buffers, places, (attended, down, block) => _operations.AddLast(h, attended, down, block));
        // The last product is in 32 bits, and so is its input.
        var final = F.layer_norm(h, [_dim], _step.Scale, _step.Shift, NormEps);
        buffers.Velocity.copy_(_weights.Output.Apply(final).view(buffers.Velocity.shape));
    }

    private void ComputeFused(DiTStepBuffers buffers)
    {
        var h = empty(2L * buffers.Shape.Rows * buffers.Shape.Frames, _dim, ScalarType.Float32, buffers.Mel.device);
        var residual = _fused!.Residual(h);
        _ends!.Enter(buffers, residual);
        if (_fused.Takes(buffers.Shape))
        {
            _fused.Run(residual, buffers);
            _ends.Leave(h, default, default, buffers);
        }
        else
        {
            Blocks(h, buffers, null, (attended, down, block) => _ends.Leave(h, new(attended.Address(), block.Gate1.Address()),
                new(down.Address(), block.Gate2.Address()), buffers));
        }
    }

    /// <summary>All blocks, in place.</summary>
    /// <param name="h">The residual stream, [2 Rows Frames, Dim].</param>
    /// <param name="buffers">The batch's inputs.</param>
    /// <param name="places">Where frames lie; null where nothing needs it.</param>
    /// <param name="last">Sees both branches of the last block, which <paramref name="h"/> may lack.</param>
    private void Blocks(Tensor h, DiTStepBuffers buffers, DiTPlaces? places, Action<Tensor, Tensor, DiTModulation> last)
    {
        var normalised = _operations.Normalise(h, _step.Blocks[0].Scale1, _step.Blocks[0].Shift1);
        for (var layer = 0; layer < _weights.Blocks.Length; layer++)
        {
            using var inner = NewDisposeScope();
            using var input = normalised;
            var (block, modulation) = (_weights.Blocks[layer], _step.Blocks[layer]);
            var qkv = _operations.Multiply(block.Qkv, input);
            var seen = _operations.Attend(qkv, buffers.Shape.IsPaged ? _pages.Layer(layer) : null, buffers, places);
            var attended = _operations.Multiply(block.AttentionOut, seen);
            var down = _operations.Multiply(block.Down, _operations.Up(block.Up, _operations.AddAttended(h, attended, modulation)));
            if (layer + 1 < _weights.Blocks.Length)
                normalised = _operations.AddBoth(h, attended, down, modulation, _step.Blocks[layer + 1]).MoveToOuterDisposeScope();
            else
                last(attended, down, modulation);
        }
    }
}
