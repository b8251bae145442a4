using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Flow.DiT;

/// <summary>A pass of the device's estimator: its segments in batches of one shape each.</summary>
internal sealed class DiTDevicePass : IEstimatorPass
{
    private const int MaxWholeFrames = 1 << 14; // of a batch, padding included
    private const int BatchFrames = 256;        // that are computed in the time that another batch's launches and half-empty products cost

    private readonly DiTDeviceEstimator _estimator;
    private readonly DiTSchedule _schedule;
    private readonly List<DiTBatch> _batches = [];
    private readonly int _frames;

    public DiTDevicePass(DiTDeviceEstimator estimator, IReadOnlyList<FlowSegment> segments, DiTSchedule schedule)
    {
        (_estimator, _schedule) = (estimator, schedule);
        List<(FlowSegment Segment, int At)> chunked = [], whole = [];
        foreach (var segment in segments)
        {
            (segment.Chunk > 0 ? chunked : whole).Add((segment, _frames));
            _frames += segment.Count;
        }
        // In the pass's order: where there is one batch only, its frames are the pass's as they lie.
        try
        {
            foreach (var group in Chunked(chunked).Concat(Whole(whole)))
                _batches.Add(Batch([.. group.OrderBy(each => each.At)]));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public bool TryAdvance(Tensor x, int step, double guidance)
    {
        if (_estimator.Steps is null)
            return false;
        using var inference = inference_mode(true);
        foreach (var batch in _batches)
            ((DiTSteppedBatch)batch).Advance(x, step, guidance);
        return true;
    }

    public Tensor Velocity(Tensor x, int step)
    {
        using var inference = inference_mode(true);
        if (_batches is [var only])
            return only.Velocity(x, step);
        var velocity = empty([2, _frames, x.shape[1]], ScalarType.Float32, x.device);
        foreach (var batch in _batches)
        {
            using var scope = NewDisposeScope();
            velocity.index_copy_(1, batch.Packed, batch.Velocity(x.index_select(0, batch.Packed), step));
        }
        return velocity;
    }

    public void Dispose()
    {
        foreach (var batch in _batches)
            batch.Dispose();
        _schedule.Dispose();
    }

    private DiTBatch Batch(List<(FlowSegment Segment, int At)> segments) => _estimator.Steps is null
        ? new DiTTorchBatch(_estimator, segments, _schedule)
        : new DiTSteppedBatch(_estimator, segments, _schedule);

    /// <summary>Streamed utterances together, as far as there is working memory for their chunks. An utterance is never cut: its chunks see each
    /// other's keys and values.</summary>
    private IEnumerable<List<(FlowSegment Segment, int At)>> Chunked(List<(FlowSegment Segment, int At)> segments)
    {
        List<(FlowSegment Segment, int At)> group = [];
        var blocks = 0;
        foreach (var (segment, at) in segments)
        {
            var count = (segment.Count + segment.Chunk - 1) / segment.Chunk;
            if (group.Count > 0 && DiTShape.Chunks(blocks + count, 1, segment.Chunk).Rows > _estimator.Places.MaxBlocks)
            {
                yield return group;
                (group, blocks) = ([], 0);
            }
            group.Add((segment, at));
            blocks += count;
        }
        if (group.Count > 0)
            yield return group;
    }

    /// <summary>Whole utterances of about the same length together: sorted, and cut where it costs least, padding and batches together.</summary>
    private static IEnumerable<List<(FlowSegment Segment, int At)>> Whole(List<(FlowSegment Segment, int At)> segments)
    {
        var sorted = segments.OrderByDescending(each => each.Segment.Count).ToList();
        var costs = new long[sorted.Count + 1]; // of all from one on
        var ends = new int[sorted.Count];       // of the batch that begins there
        for (var first = sorted.Count - 1; first >= 0; first--)
        {
            costs[first] = long.MaxValue;
            for (var end = first + 1; end <= sorted.Count; end++)
            {
                var shape = DiTShape.Whole(end - first, sorted[first].Segment.Count);
                var frames = shape.Rows * shape.Frames;
                if (frames > MaxWholeFrames && end > first + 1)
                    break;
                if (frames + BatchFrames + costs[end] < costs[first])
                    (costs[first], ends[first]) = (frames + BatchFrames + costs[end], end);
            }
        }
        for (var first = 0; first < sorted.Count; first = ends[first])
            yield return sorted[first..ends[first]];
    }
}
