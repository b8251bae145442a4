namespace LightTts;

/// <summary>The engine failed while it worked on this request; other requests are not affected.</summary>
public sealed class TtsSynthesisException : TtsException
{
    /// <inheritdoc cref="TtsException(string, Exception?)"/>
    public TtsSynthesisException(string message, Exception? innerException = null) : base(message, innerException) { }
}
