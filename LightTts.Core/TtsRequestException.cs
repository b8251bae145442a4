namespace LightTts;

/// <summary>A request asks for what cannot be done: text without anything to speak, an unknown voice, a parameter out of range.</summary>
public sealed class TtsRequestException : TtsException
{
    /// <inheritdoc cref="TtsException(string, Exception?)"/>
    public TtsRequestException(string message, Exception? innerException = null) : base(message, innerException) { }
}
