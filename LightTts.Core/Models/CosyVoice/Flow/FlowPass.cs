using LightTts.Torch;
using static TorchSharp.torch;
using Numerics = System.Numerics.Tensors.TensorPrimitives;

namespace LightTts.Models.CosyVoice.Flow;

/// <summary>A pass of the flow over some rows: a part is a step of a solver.</summary>
internal sealed class FlowPass : IDecodePass
{
    private readonly FlowModel _flow;
    private readonly Queue<List<FlowPlan>> _waiting = new();
    private List<FlowPlan> _group = [];
    private FlowSolve? _solve;

    public FlowPass(FlowModel flow, FlowPlanner planner, IReadOnlyList<FlowRow> rows)
    {
        _flow = flow;
        using var inference = inference_mode();
        foreach (var group in FlowPlanner.Group(planner.Plan(rows)))
            _waiting.Enqueue(group);
    }

    public bool Advance()
    {
        if (_solve is null && !_waiting.TryDequeue(out _group!))
        {
            _group = [];
            return false;
        }
        using var inference = inference_mode();
        try
        {
            _solve ??= _flow.BeginSolve([.. _group.Select(plan => plan.Segment)], _group[0].Row.State.Steps);
            if (_solve.Advance())
                return true;
            Finish(_solve.Mel);
        }
        catch (Exception) when (_group.Count > 1)
        {
            // One of them may be to blame: states change only when a solve succeeds, so each can be tried alone.
            foreach (var plan in _group)
                _waiting.Enqueue([plan]);
            _group = [];
        }
        catch (Exception e)
        {
            _group[0].Row.Error = e;
        }
        EndGroup();
        return _waiting.Count > 0;
    }

    public void Dispose()
    {
        EndGroup();
        while (_waiting.TryDequeue(out _group!))
            EndGroup();
    }

    private void EndGroup()
    {
        _solve?.Dispose();
        _solve = null;
        foreach (var plan in _group)
            plan.Dispose();
        _group = [];
    }

    private void Finish(Tensor mel)
    {
        using var scope = NewDisposeScope();
        // Of all rows at once, as a device is waited for here. [M, bands] -> [1, bands, M]
        var (frames, sums) = (mel.t().contiguous().unsqueeze(0), mel.sum(1).ToSingles());
        var at = 0;
        foreach (var plan in _group)
        {
            var (from, count) = (at, plan.Segment.Count);
            plan.Row.Guard(() => Finish(plan, frames, from, float.IsFinite(Numerics.Sum<float>(sums.AsSpan(from, count)))));
            at += count;
        }
    }

    private void Finish(FlowPlan plan, Tensor frames, int at, bool isFinite)
    {
        var state = plan.Row.State;
        if (!isFinite)
            throw new TtsSynthesisException("The flow computed numbers that are not finite. Try ComputePrecision.Float32; if they stay, the weights "
            + "are damaged.");
        var first = Math.Max(state.PromptFrames, state.DoneTokens * _flow.FramesPerToken) - plan.Segment.Start;
        if (first < plan.Segment.Count)
            plan.Row.Mel = frames.narrow(2, at + first, plan.Segment.Count - first).DetachFromDisposeScope();
        _flow.CountFrames(plan.Segment.Count);
        state.Advance(plan.EndTokens, plan.Segment.Count, plan.TakeTail(), plan.Row.Final);
    }
}
