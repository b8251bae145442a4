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
        var plans = new List<FlowPlan>(rows.Count);
        foreach (var row in rows)
            Guard(row, () =>
            {
                if (planner.Plan(row) is { } plan)
                    plans.Add(plan);
            });
        foreach (var group in FlowPlanner.Group(plans))
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
        var at = 0;
        var sums = Sums(mel); // of all rows at once, as a device is waited for here
        foreach (var plan in _group)
        {
            using var scope = NewDisposeScope();
            var frames = mel.narrow(0, at, plan.Segment.Count);
            var isFinite = float.IsFinite(Numerics.Sum<float>(sums.AsSpan(at, plan.Segment.Count)));
            at += plan.Segment.Count;
            Guard(plan.Row, () => Finish(plan, frames, isFinite));
        }
    }

    private static float[] Sums(Tensor mel)
    {
        using var scope = NewDisposeScope();
        return mel.sum(1).ToSingles();
    }

    private void Finish(FlowPlan plan, Tensor frames, bool isFinite)
    {
        var state = plan.Row.State;
        if (!isFinite)
            throw new TtsSynthesisException("The flow computed numbers that are not finite. Try ComputePrecision.Float32; if they stay, the weights "
            + "are damaged.");
        var first = Math.Max(state.PromptFrames, state.DoneTokens * _flow.FramesPerToken) - plan.Segment.Start;
        if (first < plan.Segment.Count)
            // [n, bands] -> [1, bands, n]
            plan.Row.Mel = frames.narrow(0, first, plan.Segment.Count - first).t().unsqueeze(0).contiguous().DetachFromDisposeScope();
        _flow.CountFrames(plan.Segment.Count);
        state.Advance(plan.EndTokens, plan.Segment.Count, plan.TakeTail(), plan.Row.Final);
    }

    private static void Guard(FlowRow row, Action action)
    {
        try
        {
            action();
        }
        catch (Exception e)
        {
            row.Error = e;
        }
    }
}
