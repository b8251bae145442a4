namespace LightTts;

/// <summary>The base of every error that LightTts reports on its own account. Messages say what is wrong and what cures it.</summary>
/// <remarks>Cancellation is not an error of this kind: it surfaces as <see cref="OperationCanceledException"/>.</remarks>
public class TtsException : Exception
{
    /// <summary>Creates the exception.</summary>
    /// <param name="message">What is wrong and what cures it.</param>
    /// <param name="innerException">The cause, where there is one.</param>
    public TtsException(string message, Exception? innerException = null) : base(message, innerException) { }
}
