using LightTts.Cuda;
using LightTts.Torch;
using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Flow.DiT;

/// <summary>A batch on a device with own kernels: what differs from pass to pass is told once, an evaluation finds what it needs of its step by
/// itself, and does the solver's step, too.</summary>
internal sealed class DiTSteppedBatch : DiTBatch
{
    private readonly FlowStepKernels _kernels;
    private readonly DiTSchedule _schedule;
    private readonly Tensor _rows; // [m] of the buffers, for each frame
    private readonly Tensor _frames, _speakers; // [m, Dim], [segments, Dim]
    private readonly nint _blocks, _places;
    private FlowStepKernels.Solve _solve; // as the device has it

    /// <param name="estimator">Whose buffers it uses.</param>
    /// <param name="segments">Either all chunk-causal or all whole, and where each one's frames begin in the pass.</param>
    /// <param name="schedule">Modulation of the steps.</param>
    public DiTSteppedBatch(DiTDeviceEstimator estimator, List<(FlowSegment Segment, int At)> segments, DiTSchedule schedule)
        : base(estimator, segments)
    {
        (_kernels, _schedule) = (estimator.Steps!, schedule);
        int steps = schedule.Steps.Length, described = FlowStepKernels.BlockWords * Shape.Rows, head = 2 * Frames + described;
        var values = new long[head + steps * PlacesOfStep];
        Frame(values.AsSpan(0, Frames), values.AsSpan(Frames, Frames));
        for (var i = 0; i < Shape.Rows; i++)
        {
            var words = values.AsSpan(2 * Frames + i * FlowStepKernels.BlockWords, FlowStepKernels.BlockWords);
            if (i >= Blocks.Count)
                words[4] = 1; // padding blocks see one frame
            else
                (words[0], words[1], words[2], words[3], words[4], words[5]) =
                    (Blocks[i].At, Blocks[i].Own, Blocks[i].Count, Blocks[i].Start, Blocks[i].Seen, Blocks[i].Owner);
        }
        Place(values.AsSpan(head));

        using var scope = NewDisposeScope();
        var indices = Keep(estimator.Uploads.Integers(values)); // all in one copy
        (Packed, _rows) = (Keep(indices.narrow(0, 0, Frames)), Keep(indices.narrow(0, Frames, Frames)));
        _blocks = indices.Address() + 2 * Frames * sizeof(long);
        _places = Shape.IsPaged ? _blocks + described * sizeof(long) : 0;
        (_frames, _speakers) = Constant();
        Keep(_frames);
        Keep(_speakers);
        Buffers.Holders++;
    }

    public override Tensor Packed { get; }

    /// <summary>One step of its frames in the pass's mel.</summary>
    /// <param name="x">[M, MelBands], changed in place.</param>
    /// <param name="step">The step's number.</param>
    /// <param name="guidance">Strength of the guidance.</param>
    public void Advance(Tensor x, int step, double guidance) => Advance(new FlowStepKernels.Solve(_schedule.Table.Address(),
        _schedule.Deltas.Address(), _places, _blocks, x.Address(), IsApart: false, guidance, step));

    public override Tensor Velocity(Tensor x, int step)
    {
        using var changed = x.clone();
        Advance(new FlowStepKernels.Solve(_schedule.Table.Address(), _schedule.Deltas.Address(), _places, _blocks, changed.Address(), IsApart: true,
            Guidance: 0, step));
        Buffers.Owner = null; // what was changed is gone
        return Buffers.Velocity.index_select(1, _rows);
    }

    private void Advance(in FlowStepKernels.Solve solve)
    {
        if (Buffers.Owner != this || solve != _solve)
            Load(solve);
        Estimator.Launch(Buffers);
        _solve = solve with { Step = solve.Step + 1 };
    }

    /// <summary>Tells the device, unless it knows: another open pass may have used the buffers between.</summary>
    private void Load(in FlowStepKernels.Solve solve)
    {
        _kernels.Load(Estimator.Stream, (Shape.Rows, Shape.Frames), solve,
            new(_frames.Address(), _speakers.Address(), Estimator.Rotations.Address(), FlowNoise.Frames),
            new(Buffers.Solve.Address(), Buffers.Constant.Address(), Buffers.Rotations.Address(), Buffers.Seen.Address(), Buffers.Mel.Address()));
        if (!Estimator.CountsKeys)
            Buffers.LoadMask();
        Buffers.Owner = this;
    }
}
