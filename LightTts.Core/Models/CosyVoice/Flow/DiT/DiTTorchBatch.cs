using LightTts.Torch;
using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Flow.DiT;

/// <summary>A batch whose inputs are loaded by libtorch's operations.</summary>
internal sealed class DiTTorchBatch : DiTBatch
{
    private readonly DiTSchedule _schedule;
    private readonly Tensor _rows;      // [m] of the buffers, for each frame
    private readonly Tensor _positions; // [Rows Frames] absolute frames
    private readonly Tensor _seen;      // [Rows] keys that a block sees
    private readonly Tensor? _places;   // [steps, Rows, Pages + 3]
    private readonly Tensor _constant;  // [m, Dim]

    /// <param name="estimator">Whose buffers it uses.</param>
    /// <param name="segments">Either all chunk-causal or all whole, and where each one's frames begin in the pass.</param>
    /// <param name="schedule">Modulation of the steps.</param>
    public DiTTorchBatch(DiTDeviceEstimator estimator, List<(FlowSegment Segment, int At)> segments, DiTSchedule schedule)
        : base(estimator, segments)
    {
        _schedule = schedule;
        int steps = schedule.Steps.Length, padded = Shape.Rows * Shape.Frames, head = 3 * Frames + padded + Shape.Rows;
        var values = new long[head + steps * PlacesOfStep];
        Span<long> owners = values.AsSpan(2 * Frames, Frames), positions = values.AsSpan(3 * Frames, padded);
        Frame(values.AsSpan(0, Frames), values.AsSpan(Frames, Frames));
        values.AsSpan(head - Shape.Rows, Shape.Rows).Fill(1); // padding blocks see one frame
        for (var i = 0; i < Blocks.Count; i++)
        {
            values[head - Shape.Rows + i] = Blocks[i].Seen;
            owners.Slice(Blocks[i].Own, Blocks[i].Count).Fill(Blocks[i].Owner);
            for (var frame = 0; frame < Shape.Frames; frame++)
                positions[i * Shape.Frames + frame] = Math.Min(Blocks[i].Start + frame, FlowNoise.Frames - 1);
        }
        Place(values.AsSpan(head));

        using var scope = NewDisposeScope();
        var indices = Keep(TensorData.FromIntegers(values, estimator.Device)); // all in one copy
        Tensor Part(long start, long count) => Keep(indices.narrow(0, start, count));
        (Packed, _rows) = (Part(0, Frames), Part(Frames, Frames));
        (_positions, _seen) = (Part(3L * Frames, padded), Part(3L * Frames + padded, Shape.Rows));
        if (Shape.IsPaged)
            _places = Keep(indices.narrow(0, head, steps * PlacesOfStep).view(steps, Shape.Rows, -1));
        var (frames, speakers) = Constant();
        _constant = Keep(frames.PlusInPlace(speakers.index_select(0, indices.narrow(0, 2L * Frames, Frames))));
        Buffers.Holders++;
    }

    public override Tensor Packed { get; }

    public override Tensor Velocity(Tensor x, int step)
    {
        Load();
        using (var modulation = _schedule.Table[step])
            Estimator.Modulation.copy_(modulation);
        if (_places is not null)
        {
            using var places = _places[step];
            Buffers.Places!.copy_(places);
        }
        Buffers.Mel.index_copy_(0, _rows, x);
        Estimator.Launch(Buffers);
        return Buffers.Velocity.index_select(1, _rows);
    }

    /// <summary>Puts what stays the same in all steps into the buffers, unless it lies there: another open pass may have used them between.</summary>
    private void Load()
    {
        if (Buffers.Owner == this)
            return;
        using var scope = NewDisposeScope();
        Buffers.Mel.zero_();
        Buffers.Constant[0].zero_().index_copy_(0, _rows, _constant);
        Buffers.Rotations.copy_(Estimator.Rotations.index_select(0, _positions));
        Buffers.Seen.copy_(_seen);
        Buffers.LoadMask();
        Buffers.Owner = this;
    }
}
