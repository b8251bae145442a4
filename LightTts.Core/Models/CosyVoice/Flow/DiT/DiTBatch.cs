using LightTts.Torch;
using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Flow.DiT;

/// <summary>Segments that go through the network as blocks of one shape, and what they put into its buffers.</summary>
internal sealed class DiTBatch : IDisposable
{
    private readonly DiTDeviceEstimator _estimator;
    private readonly DiTStepBuffers _buffers;
    private readonly Tensor _indices;   // all of the following in one copy
    private readonly Tensor _rows;      // [m] of the buffers, for each frame
    private readonly Tensor _positions; // [Rows Frames] absolute frames
    private readonly Tensor _seen;      // [Rows] keys that a block sees
    private readonly Tensor? _places;   // [steps, Rows, Pages + 3]
    private readonly Tensor _constant;  // [m, Dim]

    /// <param name="estimator">Whose buffers it uses.</param>
    /// <param name="segments">Either all chunk-causal or all whole, and where each one's frames begin in the pass.</param>
    /// <param name="steps">Solver steps.</param>
    public DiTBatch(DiTDeviceEstimator estimator, List<(FlowSegment Segment, int At)> segments, int steps)
    {
        _estimator = estimator;
        var blocks = Blocks(segments, estimator.Places.Frames);
        var isPaged = segments[0].Segment.Chunk > 0;
        var shape = isPaged ? DiTShape.Chunks(blocks.Count, blocks.Max(block => block.Pages), estimator.Places.Frames)
            : DiTShape.Whole(blocks.Count, blocks.Max(block => block.Count));
        _buffers = estimator.BuffersOf(shape);

        int frames = segments.Sum(each => each.Segment.Count), padded = shape.Rows * shape.Frames;
        var values = new long[3 * frames + padded + shape.Rows + (isPaged ? steps * shape.Rows * (shape.Pages + 3) : 0)];
        Span<long> packed = values.AsSpan(0, frames), rows = values.AsSpan(frames, frames), owners = values.AsSpan(2 * frames, frames);
        Span<long> positions = values.AsSpan(3 * frames, padded), seen = values.AsSpan(3 * frames + padded, shape.Rows);
        seen.Fill(1); // padding blocks see one frame
        var at = 0;
        for (var i = 0; i < blocks.Count; i++)
        {
            var block = blocks[i];
            seen[i] = block.Seen;
            for (var frame = 0; frame < block.Count; frame++, at++)
                (packed[at], rows[at], owners[at]) = (block.At + frame, (long)i * shape.Frames + frame, block.Owner);
            for (var frame = 0; frame < shape.Frames; frame++)
                positions[i * shape.Frames + frame] = Math.Min(block.Start + frame, FlowNoise.Frames - 1);
        }
        if (isPaged)
            for (var step = 0; step < steps; step++)
                Places(blocks, shape, step, values.AsSpan(3 * frames + padded + shape.Rows + step * shape.Rows * (shape.Pages + 3)));

        using var scope = NewDisposeScope();
        _indices = tensor(values, device: estimator.Device).DetachFromDisposeScope();
        Tensor Part(long start, long count) => _indices.narrow(0, start, count).DetachFromDisposeScope();
        (Packed, _rows) = (Part(0, frames), Part(frames, frames));
        (_positions, _seen) = (Part(3L * frames, padded), Part(3L * frames + padded, shape.Rows));
        if (isPaged)
            _places = _indices.narrow(0, 3L * frames + padded + shape.Rows, (long)steps * shape.Rows * (shape.Pages + 3))
                .view(steps, shape.Rows, -1).DetachFromDisposeScope();
        _constant = Constant(segments, _indices.narrow(0, 2L * frames, frames)).DetachFromDisposeScope();
        _buffers.Holders++;
    }

    /// <summary>[m] the places of its frames in the pass.</summary>
    public Tensor Packed { get; }

    /// <summary>One evaluation, in the caller's dispose scope.</summary>
    /// <param name="x">The noisy mel of its frames, [m, MelBands].</param>
    /// <param name="step">The step's number; its modulation is set.</param>
    /// <returns>[2, m, MelBands].</returns>
    public Tensor Velocity(Tensor x, int step)
    {
        Load();
        if (_places is not null)
        {
            using var places = _places[step];
            _buffers.Places!.copy_(places);
        }
        _buffers.Mel.index_copy_(0, _rows, x);
        _estimator.Launch(_buffers);
        return _buffers.Velocity.index_select(1, _rows);
    }

    public void Dispose()
    {
        _buffers.Holders--;
        if (_buffers.Owner == this)
            _buffers.Owner = null;
        foreach (var tensor in (Tensor?[])[Packed, _rows, _positions, _seen, _places, _constant, _indices])
            tensor?.Dispose();
    }

    /// <summary>The batch's frames in blocks; of a chunk-causal segment one a chunk.</summary>
    private static List<Block> Blocks(List<(FlowSegment Segment, int At)> segments, int pageFrames)
    {
        List<Block> blocks = [];
        for (var i = 0; i < segments.Count; i++)
        {
            var (segment, at) = segments[i];
            if (segment.Chunk == 0)
            {
                blocks.Add(new Block(segment, i, at, 0, segment.Count, segment.Count, 0, blocks.Count));
                continue;
            }
            if (segment.Chunk != pageFrames || segment.Start % pageFrames != 0)
                throw new InvalidOperationException($"Chunks of {segment.Chunk} frames from {segment.Start} on do not fit pages of {pageFrames}.");
            var first = blocks.Count;
            for (var done = 0; done < segment.Count; done += pageFrames)
            {
                var count = Math.Min(pageFrames, segment.Count - done);
                var start = segment.Start + done;
                blocks.Add(new Block(segment, i, at + done, start, count, start + count, start / pageFrames + 1, first));
            }
        }
        return blocks;
    }

    /// <summary>Where the pages that each block sees lie at a step: kept ones in its cache, the others in working memory.</summary>
    private void Places(List<Block> blocks, DiTShape shape, int step, Span<long> places)
    {
        var pages = _estimator.Places;
        var columns = shape.Pages + 3;
        for (var i = 0; i < shape.Rows; i++)
        {
            var row = places.Slice(i * columns, columns);
            row.Fill(pages.Zero);
            if (i >= blocks.Count)
            {
                row[0] = row[^1] = pages.Scratch(i);
                continue;
            }
            var (segment, _, _, start, _, _, seen, first) = blocks[i];
            var kept = (segment.Cache as FlowPageCache)?.Pages(step);
            var before = segment.Start / pages.Frames;
            for (var page = 0; page < seen; page++)
                row[page] = kept is not null && (page < before || !segment.Last) ? pages.Row(kept.Pages[page]) : pages.Scratch(first + page - before);
            row[^1] = row[seen - 1];
            if (start > 0)
                row[^2] = row[seen - 2];
        }
    }

    /// <summary>The conditional row's part of the input projection that stays the same in all steps: [m, Dim].</summary>
    private Tensor Constant(List<(FlowSegment Segment, int At)> segments, Tensor owners)
    {
        var weights = _estimator.Weights;
        // Of each part, as TorchSharp's cat of one tensor is that tensor.
        var condition = cat([.. segments.Select(each => each.Segment.Condition.alias())], 0);
        var mu = cat([.. segments.Select(each => each.Segment.Mu.alias())], 0);
        var speakers = weights.InputSpeaker.Apply(cat([.. segments.Select(each => each.Segment.Speaker.alias())], 0));
        return weights.InputCondMu.Apply(cat([condition, mu], 1)).PlusInPlace(speakers.index_select(0, owners));
    }

    /// <summary>Puts what stays the same in all steps into the buffers, unless it lies there: another open pass may have used them between.</summary>
    private void Load()
    {
        if (_buffers.Owner == this)
            return;
        using var scope = NewDisposeScope();
        _buffers.Mel.zero_();
        _buffers.Constant[0].zero_().index_copy_(0, _rows, _constant);
        _buffers.Rotations.copy_(_estimator.Rotations.index_select(0, _positions));
        _buffers.Seen.copy_(_seen);
        if (!_estimator.CountsKeys)
            LoadMask();
        _buffers.Owner = this;
    }

    private void LoadMask()
    {
        using var scope = NewDisposeScope();
        var unseen = _buffers.Counting.unsqueeze(0).ge(_seen.unsqueeze(1)); // [Rows, Keys]
        var mask = zeros(unseen.shape, _buffers.Mask.dtype, _buffers.Mask.device).masked_fill_(unseen, Scalars.Of(double.NegativeInfinity));
        _buffers.Mask.view(2, _buffers.Shape.Rows, 1, 1, -1).copy_(mask.view(1, _buffers.Shape.Rows, 1, 1, -1));
    }

    /// <summary>Frames that see the same.</summary>
    /// <param name="Segment">Whose they are.</param>
    /// <param name="Owner">Its number.</param>
    /// <param name="At">The first one's place in the pass.</param>
    /// <param name="Start">The same, counted from the utterance's first.</param>
    /// <param name="Count">How many they are.</param>
    /// <param name="Seen">Frames that they see, from the utterance's first.</param>
    /// <param name="Pages">Pages with these, their own included; 0 where there are none.</param>
    /// <param name="First">The segment's first block.</param>
    private sealed record Block(FlowSegment Segment, int Owner, int At, int Start, int Count, int Seen, int Pages, int First);
}
