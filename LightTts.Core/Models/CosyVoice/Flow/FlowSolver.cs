using LightTts.Models.CosyVoice.Flow.DiT;
using LightTts.Torch;
using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Flow;

/// <summary>Conditional flow matching: Euler steps from the fixed noise to mel frames, with classifier-free guidance.</summary>
/// <remarks>Reference: CausalConditionalCFM.solve_euler (flow/flow_matching.py).</remarks>
internal sealed class FlowSolver(DiTEstimator estimator, Tensor noise, double cfgRate)
{
    /// <summary>Runs all steps for the frames of several utterances.</summary>
    /// <param name="segments">What to compute.</param>
    /// <param name="schedule">The steps, common to all.</param>
    /// <param name="interlude">Called between steps; may solve for other utterances.</param>
    /// <param name="observe">Sees the step's number, the mel before it and both rows' velocities; for tests. Null as a rule.</param>
    /// <returns>Mel frames [M, MelBands], in the order of the segments, in the caller's dispose scope.</returns>
    public Tensor Solve(IReadOnlyList<FlowSegment> segments, DiTSchedule schedule, Action? interlude = null, Action<int, Tensor, Tensor>? observe = null)
    {
        using var scope = NewDisposeScope();
        // A copy, as the steps change it in place; of each part, because TorchSharp's cat of one tensor is that tensor.
        var x = cat([.. segments.Select(s => noise.narrow(0, s.Start, s.Count).clone())], 0);
        var inputs = estimator.Prepare(segments);
        for (var k = 0; k < schedule.Steps.Length; k++)
        {
            if (k > 0)
                interlude?.Invoke();
            using var step = NewDisposeScope();
            var velocity = estimator.Velocity(x, inputs, segments, schedule.Steps[k], k);
            observe?.Invoke(k, x, velocity);
            double delta = schedule.Steps[k].Delta;
            x.add_(velocity[0], Scalars.Of(delta * (1 + cfgRate))).add_(velocity[1], Scalars.Of(-delta * cfgRate));
        }
        foreach (var segment in segments)
            if (!segment.Last)
                segment.Cache?.Commit();
        return x.MoveToOuterDisposeScope();
    }
}
