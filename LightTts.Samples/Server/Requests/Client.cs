using System.Threading.RateLimiting;

namespace LightTts.Samples.Server.Requests;

/// <summary>Who asks: the holder of an API key, or an address.</summary>
internal sealed class Client(string name, string voiceNamespace, int limit, RateLimiter? rate) : IDisposable
{
    /// <summary>The name in the log.</summary>
    public string Name => name;

    /// <summary>What stands before the names of its voices; empty where all clients share them.</summary>
    public string VoiceNamespace => voiceNamespace;

    /// <summary>Requests at once.</summary>
    public int Limit => limit;

    /// <summary>Requests that run; owned by <see cref="Admission"/>.</summary>
    public int Active { get; set; }

    /// <summary>Uploads that are being read, or wait to be spoken with; owned by <see cref="Admission"/>.</summary>
    public int Uploads { get; set; }

    /// <summary>Takes one from its rate.</summary>
    /// <exception cref="RequestFailedException">Nothing is left of it.</exception>
    public void TakeTurn()
    {
        if (rate is null)
            return;
        using var lease = rate.AttemptAcquire();
        if (lease.IsAcquired)
            return;
        var wait = lease.TryGetMetadata(MetadataName.RetryAfter, out var after) ? after : TimeSpan.FromSeconds(1);
        throw new RequestFailedException(new Failure(StatusCodes.Status429TooManyRequests, "rate_limit_exceeded", "Too many requests in a minute.",
            wait));
    }

    public void Dispose() => rate?.Dispose();
}
