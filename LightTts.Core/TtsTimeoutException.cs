namespace LightTts;

/// <summary>A request missed one of its deadlines (<see cref="SynthesisRequest.FirstAudioTimeout"/>,
/// <see cref="SynthesisRequest.Timeout"/>).</summary>
public sealed class TtsTimeoutException : TtsException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="what">Which deadline was missed, as the name of the property that sets it.</param>
    /// <param name="limit">The deadline.</param>
    public TtsTimeoutException(string what, TimeSpan limit)
        : base($"The request was not done within its {what} of {limit.TotalMilliseconds:0} ms.") => Limit = limit;

    /// <summary>The deadline that was missed.</summary>
    public TimeSpan Limit { get; }
}
