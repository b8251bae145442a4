using LightTts.Torch;
using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Flow.DiT;

/// <summary>Segments that go through the network as blocks of one shape, and what they put into its buffers.</summary>
internal abstract class DiTBatch : IDisposable
{
    private readonly List<Tensor> _tensors = [];
    private readonly List<(FlowSegment Segment, int At)> _segments;

    /// <param name="estimator">Whose buffers it uses.</param>
    /// <param name="segments">Either all chunk-causal or all whole, and where each one's frames begin in the pass.</param>
    protected DiTBatch(DiTDeviceEstimator estimator, List<(FlowSegment Segment, int At)> segments)
    {
        (Estimator, _segments) = (estimator, segments);
        Blocks = DiTBlock.Of(segments, estimator.Places.Frames);
        var isPaged = segments[0].Segment.Chunk > 0;
        Shape = isPaged ? DiTShape.Chunks(Blocks.Count, Blocks.Max(block => block.Pages), estimator.Places.Frames)
            : DiTShape.Whole(Blocks.Count, Blocks.Max(block => block.Count));
        Buffers = estimator.BuffersOf(Shape);
        Frames = segments.Sum(each => each.Segment.Count);
    }

    /// <summary>[m] the places of its frames in the pass.</summary>
    public abstract Tensor Packed { get; }

    /// <summary>Frames of its own, m.</summary>
    protected int Frames { get; }

    protected DiTDeviceEstimator Estimator { get; }

    protected List<DiTBlock> Blocks { get; }

    protected DiTShape Shape { get; }

    protected DiTStepBuffers Buffers { get; }

    /// <summary>One evaluation, in the caller's dispose scope.</summary>
    /// <param name="x">The noisy mel of its frames, [m, MelBands].</param>
    /// <param name="step">The step's number.</param>
    /// <returns>[2, m, MelBands].</returns>
    public abstract Tensor Velocity(Tensor x, int step);

    public void Dispose()
    {
        Buffers.Holders--;
        if (Buffers.Owner == this)
            Buffers.Owner = null;
        foreach (var tensor in _tensors)
            tensor.Dispose();
    }

    /// <summary>Keeps a tensor until this is disposed.</summary>
    protected Tensor Keep(Tensor tensor)
    {
        _tensors.Add(tensor.DetachFromDisposeScope());
        return tensor;
    }

    /// <summary>For each frame its place in the pass, and its row of the buffers: twice [m].</summary>
    protected void Frame(Span<long> packed, Span<long> rows)
    {
        for (var i = 0; i < Blocks.Count; i++)
            for (var frame = 0; frame < Blocks[i].Count; frame++)
                (packed[Blocks[i].Own + frame], rows[Blocks[i].Own + frame]) = (Blocks[i].At + frame, (long)i * Shape.Frames + frame);
    }

    /// <summary>Numbers of a step's <see cref="DiTStepBuffers.Places"/>; 0 where there are none.</summary>
    protected int PlacesOfStep => Shape.IsPaged ? Shape.Rows * (Shape.Pages + 3) : 0;

    /// <summary>The places of all steps: [steps, <see cref="PlacesOfStep"/>].</summary>
    protected void Place(Span<long> places)
    {
        for (var step = 0; PlacesOfStep > 0 && step < places.Length / PlacesOfStep; step++)
            DiTBlock.Places(Blocks, Shape, Estimator.Places, step, places[(step * PlacesOfStep)..]);
    }

    /// <summary>What the conditional row's part of the input projection that stays the same in all steps consists of: of each frame, [m, Dim], and
    /// of each utterance, [segments, Dim].</summary>
    protected (Tensor Frames, Tensor Speakers) Constant()
    {
        // Of each part, as TorchSharp's cat of one tensor is that tensor.
        var condition = cat([.. _segments.Select(each => each.Segment.Condition.alias())], 0);
        var mu = cat([.. _segments.Select(each => each.Segment.Mu.alias())], 0);
        var speakers = cat([.. _segments.Select(each => each.Segment.Speaker.alias())], 0);
        return (Estimator.Weights.InputCondMu.Apply(cat([condition, mu], 1)), Estimator.Weights.InputSpeaker.Apply(speakers));
    }
}
