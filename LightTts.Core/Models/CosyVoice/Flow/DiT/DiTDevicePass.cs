using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Flow.DiT;

/// <summary>A pass of the device's estimator: its segments in batches of one shape each.</summary>
internal sealed class DiTDevicePass : IEstimatorPass
{
    private const int MaxWholeFrames = 1 << 14; // of a batch, padding included

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
        foreach (var group in Chunked(chunked).Concat(Whole(whole)))
                    {
            List<(FlowSegment, int)> members = [.. group.OrderBy(each => each.At)];
            _batches.Add(estimator.Steps is null ? new DiTTorchBatch(estimator, members, schedule)
                : new DiTSteppedBatch(estimator, members, schedule));
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

    /// <summary>Whole utterances of about the same length together.</summary>
    private static IEnumerable<List<(FlowSegment Segment, int At)>> Whole(List<(FlowSegment Segment, int At)> segments)
    {
        List<(FlowSegment Segment, int At)> group = [];
        var frames = 0;
        foreach (var each in segments.OrderByDescending(each => each.Segment.Count))
        {
            // A quarter of padding costs about what a launch of its own would.
            if (group.Count > 0 && (4 * each.Segment.Count < 3 * frames || DiTShape.Whole(group.Count + 1, frames).Rows * frames > MaxWholeFrames))
            {
                yield return group;
                group = [];
            }
            if (group.Count == 0)
                frames = DiTShape.RoundFrames(each.Segment.Count);
            group.Add(each);
        }
        if (group.Count > 0)
            yield return group;
    }
}
