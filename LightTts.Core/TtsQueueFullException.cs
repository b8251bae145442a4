namespace LightTts;

/// <summary>The pipeline holds as many requests as <see cref="TtsPipelineOptions.MaxActiveRequests"/> allows. Try again later.</summary>
public sealed class TtsQueueFullException : TtsException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="limit">The number of requests that may be in the pipeline at once.</param>
    public TtsQueueFullException(int limit)
        : base($"The pipeline already holds {limit} requests, its limit. Try again later, or raise TtsPipelineOptions.MaxActiveRequests.") =>
        Limit = limit;

    /// <summary>The number of requests that may be in the pipeline at once.</summary>
    public int Limit { get; }
}
