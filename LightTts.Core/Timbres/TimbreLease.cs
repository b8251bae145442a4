namespace LightTts.Timbres;

/// <summary>Says that a request uses a voice: until it is disposed, the voice and what was derived from it stay in the cache. Disposing twice is harmless.</summary>
internal sealed class TimbreLease : IDisposable
{
    private readonly TimbreCache _cache;
    private readonly CachedTimbre _voice;
    private int _ended;

    internal TimbreLease(TimbreCache cache, CachedTimbre voice, Timbre timbre) => (_cache, _voice, Timbre) = (cache, voice, timbre);

    public Timbre Timbre { get; }

    /// <summary>What a stage computed from this voice earlier, or null. It stays good until the lease ends.</summary>
    public object? Derived => _cache.GetDerived(_voice);

    /// <summary>Keeps something computed from this voice for later requests. It is disposed when the voice leaves the cache and nobody uses it any more, on whichever thread
    /// that happens.</summary>
    /// <param name="derived">What to keep.</param>
    /// <param name="bytes">What it takes; it counts towards the cache's budget.</param>
    /// <returns>False where there is one already: then the caller keeps <paramref name="derived"/>, and disposes it.</returns>
    /// <exception cref="ObjectDisposedException">The lease has ended.</exception>
    public bool TrySetDerived(IDisposable derived, long bytes)
    {
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _ended) != 0, this);
        return _cache.TrySetDerived(_voice, derived, bytes);
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _ended, 1) == 0)
            _cache.Release(_voice);
    }
}
