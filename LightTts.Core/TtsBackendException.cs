namespace LightTts;

/// <summary>A native backend (libtorch, ONNX Runtime, CUDA) is missing or cannot be loaded; the message names the package to add.</summary>
public sealed class TtsBackendException : TtsException
{
    /// <inheritdoc cref="TtsException(string, Exception?)"/>
    public TtsBackendException(string message, Exception? innerException = null) : base(message, innerException) { }
}
