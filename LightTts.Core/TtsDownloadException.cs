using System.Net;

namespace LightTts;

/// <summary>A model cannot be fetched: the hub refuses, fails or sends something else than it promised, or the disk has no room for it. What was
/// fetched and is sound stays where it is, so that the next try goes on from there.</summary>
public sealed class TtsDownloadException : TtsException
{
    /// <inheritdoc cref="TtsException(string, Exception?)"/>
    public TtsDownloadException(string message, Exception? innerException = null) : base(message, innerException) { }

    /// <summary>What the hub answered last.</summary>
    /// <value>Null where that is not what was wrong.</value>
    public HttpStatusCode? StatusCode { get; init; }
}
