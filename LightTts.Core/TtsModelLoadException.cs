namespace LightTts;

/// <summary>A model directory or one of its files cannot be loaded: missing, damaged,
/// unsafe, or not the model that its configuration describes.</summary>
public sealed class TtsModelLoadException : TtsException
{
    /// <inheritdoc cref="TtsException(string, Exception?)"/>
    public TtsModelLoadException(string message, Exception? innerException = null) : base(message, innerException) { }
}
