namespace LightTts.Models;

/// <summary>A model that belongs to one stage's thread.</summary>
internal interface IStageModel : IDisposable
{
    /// <summary>Prepares the calling thread for the model's work (inference mode, threads
    /// of one operation, device stream) until the result is disposed on it.</summary>
    IDisposable EnterThread();
}
