using LightTts.Torch;
using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Flow;

/// <summary>Conditional flow matching for the frames of several utterances: Euler steps
/// from the fixed noise to mel frames, with classifier-free guidance.</summary>
/// <remarks>Reference: CausalConditionalCFM.solve_euler (flow/flow_matching.py). A step may be done on another thread than the one before.</remarks>
internal sealed class FlowSolve : IDisposable
{
    private readonly IReadOnlyList<FlowSegment> _segments;
    private readonly IEstimatorPass _pass;
    private readonly float[] _times;
    private readonly double _cfgRate;
    private int _step;

    /// <summary>Prepares the solve.</summary>
    /// <param name="estimator">The network.</param>
    /// <param name="noise">What every utterance starts from, by absolute frame: [frames, MelBands].</param>
    /// <param name="cfgRate">Strength of the guidance.</param>
    /// <param name="segments">What to compute.</param>
    /// <param name="steps">Solver steps.</param>
    public FlowSolve(IVelocityEstimator estimator, Tensor noise, double cfgRate, IReadOnlyList<FlowSegment> segments, int steps)
    {
        using var scope = NewDisposeScope();
        (_segments, _cfgRate, _times) = (segments, cfgRate, FlowTimes.Cosine(steps));
        // A copy, as the steps change it in place; TorchSharp's cat of one tensor is that tensor.
        Mel = cat([.. segments.Select(s => noise.narrow(0, s.Start, s.Count))], 0);
        if (segments.Count == 1)
            Mel = Mel.clone();
        _pass = estimator.Begin(segments, _times);
        Mel.DetachFromDisposeScope();
    }

    /// <summary>The frames, [M, MelBands] in the order of the segments; the result after the last step.</summary>
    public Tensor Mel { get; }

    /// <summary>Sees the step's number, the mel before it and both rows' velocities; for tests.</summary>
    public Action<int, Tensor, Tensor>? Observe { get; init; }

    /// <summary>Does one step.</summary>
    /// <returns>Whether more follow.</returns>
    public bool Advance()
    {
        if (Observe is not null || !_pass.TryAdvance(Mel, _step, _cfgRate))
            Step();
        if (++_step < _times.Length - 1)
            return true;
        foreach (var segment in _segments)
            if (!segment.Last)
                segment.Cache?.Commit();
        return false;
    }

    private void Step()
    {
        using var scope = NewDisposeScope();
        var velocity = _pass.Velocity(Mel, _step);
        Observe?.Invoke(_step, Mel, velocity);
        double delta = _times[_step + 1] - _times[_step];
        Mel.add_(velocity[0], Scalars.Of(delta * (1 + _cfgRate))).add_(velocity[1], Scalars.Of(-delta * _cfgRate));
    }

    public void Dispose()
    {
        _pass.Dispose();
        Mel.Dispose();
    }
}
