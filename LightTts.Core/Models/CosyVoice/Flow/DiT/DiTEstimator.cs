using LightTts.Torch;
using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace LightTts.Models.CosyVoice.Flow.DiT;

/// <summary>The velocity estimator: a diffusion transformer over packed frames of several utterances, both guidance rows at once.</summary>
/// <remarks>
/// Reference: DiT.forward (flow/DiT/dit.py). Frames of all utterances lie one after the
/// other on one axis; row 0 is conditional, row 1 unconditional. Linear layers
/// and norms see [2 M, Dim]; only attention and the positional convolutions go utterance
/// by utterance. All times of a pass are equal, so modulation is a vector.
/// </remarks>
internal sealed class DiTEstimator : IVelocityEstimator
{
    private const double NormEps = 1e-6;

    private readonly DiTWeights _weights;
    private readonly int _heads;
    private readonly int _headDim;
    private readonly long _dim;
    private readonly bool _exact;
    private readonly DiTAttention _attention;
    private readonly FlowPages _pages;
    private readonly DiTSchedules _schedules;

    /// <param name="weights">Owned from here on.</param>
    /// <param name="device">Where they lie.</param>
    /// <param name="pageFrames">Frames in a page of what is kept: those of a chunk.</param>
    /// <param name="cacheBudget">Bytes that the pages may take together; null: <see cref="FlowPagePool.DefaultBudget"/>.</param>
    public DiTEstimator(DiTWeights weights, TorchDevice device, int pageFrames, long? cacheBudget)
    {
        _weights = weights;
        _schedules = new DiTSchedules(weights);
        (_heads, _headDim, _dim) = (_weights.Config.Heads, _weights.Config.HeadDim, _weights.Config.Dim);
        _exact = device.Compute == ScalarType.Float32;
        _attention = DiTAttention.For(device);
        _pages = FlowPages.Create(new FlowPageShape(_weights.Config.Depth, _heads, _headDim), pageFrames, device, cacheBudget);
    }

    public bool KeepsPast => true;

    public DiTWeights Weights => _weights;

    public FlowPagePool Pages => _pages.Pool;

    public IFlowCache CreateCache(int steps) => new FlowCache(steps, 2, _pages);

    public IEstimatorPass Begin(IReadOnlyList<FlowSegment> segments, float[] times)
    {
        using var scope = NewDisposeScope();
        var inputs = DiTInputs.Prepare(_weights, segments);
        return new Pass(this, segments, _schedules.Hold(times), inputs.Constant.DetachFromDisposeScope(), inputs.Rotations.DetachFromDisposeScope());
    }

    public void Dispose()
    {
        _schedules.Dispose();
        _weights.Dispose();
        _pages.Dispose();
    }

    /// <summary>One evaluation.</summary>
    /// <param name="x">The noisy mel, [M, MelBands].</param>
    /// <param name="inputs">The pass's constants.</param>
    /// <param name="segments">The utterances, in the order of their frames.</param>
    /// <param name="step">Modulation of this step.</param>
    /// <param name="index">The step's number, under which caches are kept.</param>
    /// <param name="scratch">The pass's working memory.</param>
    /// <returns>Velocities [2, M, MelBands].</returns>
    public Tensor Velocity(Tensor x, DiTInputs inputs, IReadOnlyList<FlowSegment> segments, DiTStep step, int index, FlowScratch scratch)
    {
        var h = Embed(x, inputs, segments, index).view(-1, _dim);
        for (var layer = 0; layer < _weights.Blocks.Length; layer++)
        {
            using var scope = NewDisposeScope();
            Block(h, inputs.Rotations, segments, step.Blocks[layer], index, layer, scratch);
        }
        h = F.layer_norm(h, [_dim], step.Scale, step.Shift, NormEps);
        return _weights.Output.Apply(h).view(2, -1, _weights.MelBands);
    }

    /// <summary>InputEmbedding: projection, plus two causal grouped convolutions of it. Gives [2, M, Dim].</summary>
    public Tensor Embed(Tensor x, DiTInputs inputs, IReadOnlyList<FlowSegment> segments, int index)
    {
        var h = _weights.InputX.Apply(x).unsqueeze(0).Plus(inputs.Constant); // [1, M, Dim] + [2, M, Dim]
        var at = 0;
        foreach (var segment in segments)
        {
            using var scope = NewDisposeScope();
            var part = h.narrow(1, at, segment.Count);
            part.PlusInPlace(Positional(part, segment, index));
            at += segment.Count;
        }
        return h;
    }

    /// <summary>One transformer block (DiTBlock), in place on the residual stream [2 M, Dim].</summary>
    public void Block(Tensor h, Tensor rotations, IReadOnlyList<FlowSegment> segments, DiTModulation modulation, int index, int layer,
        FlowScratch scratch)
    {
        var block = _weights.Blocks[layer];
        var qkv = block.Qkv.Apply(F.layer_norm(h, [_dim], modulation.Scale1, modulation.Shift1, NormEps));
        var split = qkv.view(2, -1, 3, _heads, _headDim);
        Rotate(split, rotations);
        var attended = Attend(split, segments, index, layer, scratch);
        h.addcmul_(block.AttentionOut.Apply(attended.view(-1, block.AttentionOut.Inputs)), modulation.Gate1, Scalars.One);
        var up = block.Up.Apply(F.layer_norm(h, [_dim], modulation.Scale2, modulation.Shift2,
            NormEps)).gelu_(TorchSharp.Modules.GELU.Approximate.tanh);
        h.addcmul_(block.Down.Apply(up), modulation.Gate2, Scalars.One);
    }

    /// <summary>Rotary positions, on the first head of queries and keys only and on
    /// interleaved pairs, as the reference applies them to unsplit vectors.</summary>
    /// <param name="split">[2, M, 3, Heads, HeadDim], changed in place.</param>
    /// <param name="rotations">[M, 1, HeadDim / 2] complex.</param>
    private void Rotate(Tensor split, Tensor rotations)
    {
        var first = split.narrow(2, 0, 2).select(3, 0); // [2, M, 2 (q, k), HeadDim]
        long[] pairs = [2, split.shape[1], 2, _headDim / 2, 2];
        if (_exact)
        {
            first.view(pairs).view_as_complex().mul_(rotations);
            return;
        }
        var rotated = first.to(ScalarType.Float32).view(pairs).view_as_complex() * rotations;
        first.copy_(rotated.view_as_real().view(first.shape));
    }

    /// <summary>Attention utterance by utterance. [2, M, 3, Heads, HeadDim] -> [2, M, Inner]</summary>
    private Tensor Attend(Tensor split, IReadOnlyList<FlowSegment> segments, int index, int layer, FlowScratch scratch)
    {
        var results = new Tensor[segments.Count];
        var at = 0;
        for (var i = 0; i < results.Length; i++)
        {
            var segment = segments[i];
            var part = split.narrow(1, at, segment.Count).permute(2, 0, 3, 1, 4); // [3, 2, Heads, n, HeadDim]
            at += segment.Count;
            Tensor q = part[0], k = part[1], v = part[2];
            if (segment.Cache is FlowCache cache)
                (k, v) = cache.Append(index, layer, segment.Start, k, v, segment.Last, scratch);
            results[i] = segment.Chunk > 0 ? _attention.ChunkCausal(q, k, v, segment.Chunk) : _attention.Full(q, k, v);
        }
        return results.Length == 1 ? results[0] : cat(results, 1);
    }

    /// <summary>CausalConvPositionEmbedding with the left context of an earlier pass. [2, n, Dim] -> [2, n, Dim]</summary>
    private Tensor Positional(Tensor part, FlowSegment segment, int index)
    {
        Tensor? Tail(int convolution) =>
            (segment.Cache as FlowCache)?.Tail(index, convolution) ?? (segment.Shared as FlowCache)?.Tail(index, convolution);
        var before = Tail(0) ?? zeros([2, _dim, _weights.ConvTail], part.dtype, part.device);
        var input = cat([before, part.transpose(1, 2)], 2); // [2, Dim, ConvTail + n]
        var hidden = F.mish(F.conv1d(input, _weights.Conv1, _weights.Conv1Bias, groups: _weights.Groups), inplace: true);
        hidden = cat([Tail(1) ?? zeros_like(before), hidden], 2);
        if (segment.Cache is FlowCache cache && !segment.Last)
        {
            cache.SetTail(index, 0, input.narrow(2, segment.Count, _weights.ConvTail).clone());
            cache.SetTail(index, 1, hidden.narrow(2, segment.Count, _weights.ConvTail).clone());
        }
        return F.mish(F.conv1d(hidden, _weights.Conv2, _weights.Conv2Bias, groups: _weights.Groups), inplace: true).transpose(1, 2);
    }

    private sealed class Pass(DiTEstimator estimator, IReadOnlyList<FlowSegment> segments, DiTSchedule schedule, Tensor constant, Tensor rotations)
        : IEstimatorPass
    {
        private readonly FlowScratch _scratch = new();

        public Tensor Velocity(Tensor x, int step) =>
            estimator.Velocity(x, new DiTInputs(constant, rotations), segments, schedule.Steps[step], step, _scratch);

        public void Dispose()
        {
            _scratch.Dispose();
            constant.Dispose();
            rotations.Dispose();
            schedule.Dispose();
        }
    }
}
