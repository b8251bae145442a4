using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Flow;

/// <summary>The flow's network: noisy mel to velocity, over frames of several utterances. One for each kind of network, device and engine.</summary>
internal interface IVelocityEstimator : IDisposable
{
    /// <summary>Whether it can keep the frames behind an utterance; otherwise they are handed
    /// over again with every pass (<see cref="FlowCachePolicy.Recompute"/>).</summary>
    bool KeepsPast { get; }

    /// <summary>Where the caches take their memory; null where none is kept.</summary>
    FlowPagePool? Pages { get; }

    /// <summary>Room for an utterance's past, empty as yet; null where none is kept.</summary>
    IFlowCache? CreateCache(int steps);

    /// <summary>Makes ready what passes would otherwise wait for, on the thread that runs them; when everything else has been loaded.</summary>
    /// <param name="maxRows">Utterances of a pass.</param>
    void Prepare(int maxRows)
    {
    }

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

    /// <summary>An evaluation and the solver's step that it is for, in place, where the estimator does both at once.</summary>
    /// <param name="x">The noisy mel, [M, MelBands], in the order of the segments.</param>
    /// <param name="step">The step's number; steps come in order.</param>
    /// <param name="guidance">Strength of the guidance.</param>
    /// <returns>Whether it did.</returns>
    bool TryAdvance(Tensor x, int step, double guidance) => false;
}

/// <summary>What an estimator keeps of one utterance's past frames. What a pass adds counts
/// from <see cref="Commit"/> on, so that a pass that failed can be run again.</summary>
internal interface IFlowCache : IDisposable
{
    /// <summary>Bytes that it takes now, without what it shares with the cache that it began from.</summary>
    long Bytes { get; }

    /// <summary>Pages that would be free without it.</summary>
    long OwnPages { get; }

    /// <summary>Pages that it lacks for so many frames from the first.</summary>
    /// <param name="frames">Frames.</param>
    /// <param name="shared">What it will begin from, while it is empty.</param>
    int PagesFor(int frames, IFlowCache? shared);

    /// <summary>Takes the pages for so many frames from the first.</summary>
    /// <param name="frames">Frames; a part of a page counts as a page.</param>
    /// <param name="shared">While it is empty: the cache whose frames are its first, of which it holds the pages from then on.</param>
    /// <returns>False where the pool has too few; then nothing has changed.</returns>
    bool TryReserve(int frames, IFlowCache? shared);

    /// <summary>A pass has succeeded.</summary>
    void Commit();
}
