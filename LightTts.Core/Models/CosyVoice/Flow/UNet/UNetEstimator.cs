using LightTts.Models.CosyVoice.Flow.DiT;
using LightTts.Torch;
using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace LightTts.Models.CosyVoice.Flow.UNet;

/// <summary>CosyVoice2's velocity estimator over packed frames of several utterances, both guidance rows at once.</summary>
/// <remarks>
/// Reference: CausalConditionalDecoder.forward (flow/decoder.py). Frames of all utterances lie one after the other on one axis; row 0 is
/// conditional, row 1 unconditional. Products and norms see all frames; only attention and the left context of convolutions go utterance by
/// utterance. Chunk-causal it is exact in pieces: its convolutions are causal, its norms see one frame, and nothing changes the rate.
/// </remarks>
/// <param name="weights">Owned from here on.</param>
/// <param name="device">Where they lie.</param>
/// <param name="pageFrames">Frames in a page of what is kept: those of a chunk.</param>
/// <param name="cacheBudget">Bytes that the pages may take together; null: <see cref="FlowPagePool.DefaultBudget"/>.</param>
internal sealed class UNetEstimator(UNetWeights weights, TorchDevice device, int pageFrames, long? cacheBudget) : IVelocityEstimator
{
    private readonly int _heads = weights.Config.Heads;
    private readonly int _headDim = weights.Config.HeadDim;
    private readonly long _channels = weights.Config.Channels;
    private readonly DiTAttention _attention = DiTAttention.For(device);
    private readonly FlowPages _pages = FlowPages.Create(
        new FlowPageShape(weights.Blocks, weights.Config.Heads, weights.Config.HeadDim), pageFrames, device, cacheBudget);

    public bool KeepsPast => true;

    public UNetWeights Weights => weights;

    public FlowPagePool Pages => _pages.Pool;

    public IFlowCache CreateCache(int steps) => new FlowCache(steps, weights.Convolutions, _pages);

    public IEstimatorPass Begin(IReadOnlyList<FlowSegment> segments, float[] times)
    {
        using var scope = NewDisposeScope();
        var steps = times.Length - 1;
        var schedule = new UNetSchedule(weights, TensorData.FromSingles(times[..steps], device.Device, steps));
        return new Pass(this, segments, schedule, Constant(segments).DetachFromDisposeScope());
    }

    public void Dispose()
    {
        _pages.Dispose();
        weights.Dispose();
    }

    /// <summary>What stays the same in all steps of a pass: [2, M, 3 MelBands], zeros in the unconditional row.</summary>
    public static Tensor Constant(IReadOnlyList<FlowSegment> segments)
    {
        // Order of the concatenation: x, mu, speaker, cond.
        var rows = cat([.. segments.Select(s => cat([s.Mu, s.Speaker.expand_as(s.Mu), s.Condition], 1))], 0);
        return stack([rows, zeros_like(rows)], 0);
    }

    /// <summary>One evaluation.</summary>
    /// <param name="x">The noisy mel, [M, MelBands].</param>
    /// <param name="constant">See <see cref="Constant"/>.</param>
    /// <param name="segments">The utterances, in the order of their frames.</param>
    /// <param name="schedule">What the times add.</param>
    /// <param name="step">The step's number, also under which caches are kept.</param>
    /// <param name="scratch">The pass's working memory.</param>
    /// <returns>Velocities [2, M, MelBands].</returns>
    public Tensor Velocity(Tensor x, Tensor constant, IReadOnlyList<FlowSegment> segments, UNetSchedule schedule, int step,
        FlowScratch scratch)
    {
        var frames = new Frames(segments, step, scratch);
        var h = cat([x.unsqueeze(0).expand(2, -1, -1), constant], 2); // [2, M, 4 MelBands]
        var last = weights.Levels.Length - 1;
        h = Level(h, frames, schedule, 0);
        var skip = h;
        h = Convolve(weights.DownConv, h, frames);
        for (var level = 1; level < last; level++)
            h = Level(h, frames, schedule, level);
        h = Level(cat([h, skip], 2), frames, schedule, last);
        h = Convolve(weights.UpConv, h, frames);
        h = F.mish(weights.FinalNorm.Apply(Convolve(weights.FinalConv, h, frames)), inplace: true);
        return weights.Output.Apply(h);
    }

    private Tensor Level(Tensor x, Frames frames, UNetSchedule schedule, int index)
    {
        using var scope = NewDisposeScope();
        var level = weights.Levels[index];
        var h = F.mish(level.Norm1.Apply(Convolve(level.Conv1, x, frames)), inplace: true);
        h.PlusInPlace(schedule.At(frames.Step, index));
        h = F.mish(level.Norm2.Apply(Convolve(level.Conv2, h, frames)), inplace: true);
        h.PlusInPlace(level.Residual.Apply(x));
        var stream = h.view(-1, _channels);
        foreach (var block in level.Blocks)
            Block(block, stream, frames);
        return h.MoveToOuterDisposeScope();
    }

    /// <summary>One transformer block, in place on the residual stream [2 M, Channels].</summary>
    private void Block(UNetBlock block, Tensor stream, Frames frames)
    {
        using var scope = NewDisposeScope();
        var split = block.Qkv.Apply(block.Norm1.Apply(stream)).view(2, -1, 3, _heads, _headDim);
        stream.PlusInPlace(block.AttentionOut.Apply(Attend(block, split, frames).view(-1, block.AttentionOut.Inputs)));
        var up = block.Up.Apply(block.Norm3.Apply(stream)).gelu_(TorchSharp.Modules.GELU.Approximate.none);
        stream.PlusInPlace(block.Down.Apply(up));
    }

    /// <summary>Attention utterance by utterance. [2, M, 3, Heads, HeadDim] -> [2, M, Inner]</summary>
    private Tensor Attend(UNetBlock block, Tensor split, Frames frames)
    {
        var results = new List<Tensor>();
        frames.ForEach((segment, at) =>
        {
            var part = split.narrow(1, at, segment.Count).permute(2, 0, 3, 1, 4); // [3, 2, Heads, n, HeadDim]
            Tensor q = part[0], k = part[1], v = part[2];
            if (segment.Cache is FlowCache cache)
                (k, v) = cache.Append(frames.Step, block.Slot, segment.Start, k, v, segment.Last, frames.Scratch);
            results.Add(segment.Chunk > 0 ? _attention.ChunkCausal(q, k, v, segment.Chunk) : _attention.Full(q, k, v));
        });
        return results.Count == 1 ? results[0] : cat(results, 1);
    }

    /// <summary>A causal convolution with the left context of an earlier pass. [2, M, In] -> [2, M, Out]</summary>
    private static Tensor Convolve(UNetConv conv, Tensor x, Frames frames)
    {
        using var scope = NewDisposeScope();
        var windows = new List<Tensor>();
        frames.ForEach((segment, at) =>
        {
            var cache = segment.Cache as FlowCache;
            var before = cache?.Tail(frames.Step, conv.Slot) ?? (segment.Shared as FlowCache)?.Tail(frames.Step, conv.Slot)
                ?? zeros([2, UNetConv.Tail, x.shape[2]], x.dtype, x.device);
            var joined = cat([before, x.narrow(1, at, segment.Count)], 1);
            if (cache is not null && !segment.Last)
                cache.SetTail(frames.Step, conv.Slot, joined.narrow(1, segment.Count, UNetConv.Tail).clone());
            windows.Add(UNetConv.Windows(joined));
        });
        return conv.Product.Apply(windows.Count == 1 ? windows[0] : cat(windows, 1)).MoveToOuterDisposeScope();
    }

    /// <summary>The utterances at one step.</summary>
    private readonly record struct Frames(IReadOnlyList<FlowSegment> Segments, int Step, FlowScratch Scratch)
    {
        /// <summary>Calls back with every utterance and its first frame's place.</summary>
        public void ForEach(Action<FlowSegment, int> segment)
        {
            var at = 0;
            foreach (var each in Segments)
            {
                segment(each, at);
                at += each.Count;
            }
        }
    }

    private sealed class Pass(UNetEstimator estimator, IReadOnlyList<FlowSegment> segments, UNetSchedule schedule, Tensor constant) : IEstimatorPass
    {
        private readonly FlowScratch _scratch = new();

        public Tensor Velocity(Tensor x, int step) => estimator.Velocity(x, constant, segments, schedule, step, _scratch);

        public void Dispose()
        {
            _scratch.Dispose();
            constant.Dispose();
            schedule.Dispose();
        }
    }
}
