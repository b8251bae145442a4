using LightTts.Samples.Server.Metrics;

namespace LightTts.Samples.Server.Requests;

/// <summary>What is known of one request at its end: one line in the log and its share of the metrics.</summary>
internal sealed class RequestRecord(string route, ServerMetrics metrics, TimeProvider time)
{
    private readonly long _started = time.GetTimestamp();
    private TimeSpan? _firstAudio;

    /// <summary>Who asked.</summary>
    public string Client { get; set; } = "-";

    /// <summary>Seconds of audio that were sent.</summary>
    public double AudioSeconds { get; private set; }

    public void Sent(AudioChunk chunk)
    {
        _firstAudio ??= time.GetElapsedTime(_started);
        AudioSeconds += (double)chunk.Samples.Length / chunk.SampleRate;
    }

    /// <summary>Ends it.</summary>
    public void End(ILogger log, string requestId, Failure? failure, Exception? error)
    {
        var elapsed = time.GetElapsedTime(_started);
        metrics.Ended(route, elapsed, _firstAudio, AudioSeconds, failure);
        var first = _firstAudio?.TotalMilliseconds ?? 0;
        if (failure is null)
            ServerLog.Done(log, requestId, route, Client, elapsed.TotalMilliseconds, first, AudioSeconds);
        else if (failure.IsOurs)
            ServerLog.Failed(log, error, requestId, route, Client, failure.Status, failure.Code, elapsed.TotalMilliseconds, AudioSeconds);
        else
            ServerLog.Refused(log, requestId, route, Client, failure.Status, failure.Code, elapsed.TotalMilliseconds, AudioSeconds);
    }
}
