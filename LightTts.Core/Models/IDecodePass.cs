namespace LightTts.Models;

/// <summary>Work on some rows, done in parts between which other passes may be advanced.
/// Disposing it before its end drops what it has done.</summary>
internal interface IDecodePass : IDisposable
{
    /// <summary>Does one part: a solver step, a captured group of steps, a vocoder step.</summary>
    /// <returns>Whether there is more to do; false: the rows are filled.</returns>
    bool Advance();
}
