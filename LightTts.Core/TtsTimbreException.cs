namespace LightTts;

/// <summary>A <c>.timbre</c> file cannot be used (it is something else, damaged, of a
/// newer format, or made with another model), or a named voice cannot be kept.</summary>
public sealed class TtsTimbreException : TtsException
{
    /// <inheritdoc cref="TtsException(string, Exception?)"/>
    public TtsTimbreException(string message, Exception? innerException = null) : base(message, innerException) { }
}
