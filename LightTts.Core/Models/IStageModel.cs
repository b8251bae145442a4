namespace LightTts.Models;

/// <summary>A model that belongs to one stage's thread.</summary>
internal interface IStageModel : IDisposable
{
    /// <summary>Prepares the calling thread for the model's work (inference mode, threads
    /// of one operation, device stream) until the result is disposed on it.</summary>
    IDisposable EnterThread();

    /// <summary>Makes everything ready that the first request would otherwise wait for (warm-up, capture). Called once, on the stage's
    /// thread, before it serves anybody; what it throws fails the load.</summary>
    void WarmUp();
}
