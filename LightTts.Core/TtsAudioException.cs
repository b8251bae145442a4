namespace LightTts;

/// <summary>Audio that was handed in cannot be used: not a WAV file, damaged, too short, too long, silent or not finite.</summary>
public sealed class TtsAudioException : TtsException
{
    /// <inheritdoc cref="TtsException(string, Exception?)"/>
    public TtsAudioException(string message, Exception? innerException = null) : base(message, innerException) { }
}
