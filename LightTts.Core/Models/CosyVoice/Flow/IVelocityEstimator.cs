using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Flow;

/// <summary>The flow's network: noisy mel to velocity, over frames of several utterances. One for each kind of network, device and engine.</summary>
internal interface IVelocityEstimator : IDisposable
{
    /// <summary>Whether it can keep the frames behind an utterance; otherwise they are handed
    /// over again with every pass (<see cref="FlowCachePolicy.Recompute"/>).</summary>
    bool KeepsPast { get; }

    /// <summary>Bytes that a kept frame takes with so many solver steps.</summary>
    long BytesPerFrame(int steps);

    /// <summary>Memory for an utterance's past; null where none is kept.</summary>
    IFlowCache? CreateCache(int steps);

    /// <summary>Prepares what a pass needs in all of its steps. May be called, and the
    /// passes be used, on several threads at once, each pass on one at a time.</summary>
    /// <param name="segments">The utterances' frames.</param>
    /// <param name="times">The times that the solver's steps lead through, from 0 to 1: one more than steps.</param>
    IEstimatorPass Begin(IReadOnlyList<FlowSegment> segments, float[] times);
}

/// <summary>An estimator at work on the segments of one pass.</summary>
internal interface IEstimatorPass : IDisposable
{
    /// <summary>One evaluation, in the caller's dispose scope.</summary>
    /// <param name="x">The noisy mel, [M, MelBands], in the order of the segments.</param>
    /// <param name="step">The step's number; steps come in order.</param>
    /// <returns>Velocities [2, M, MelBands]: conditional, unconditional.</returns>
    Tensor Velocity(Tensor x, int step);
}

/// <summary>What an estimator keeps of one utterance's past frames. What a pass adds counts
/// from <see cref="Commit"/> on, so that a pass that failed can be run again.</summary>
internal interface IFlowCache : IDisposable
{
    /// <summary>Bytes that it takes now.</summary>
    long Bytes { get; }

    /// <summary>A pass has succeeded.</summary>
    void Commit();
}
