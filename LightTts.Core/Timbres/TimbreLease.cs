namespace LightTts.Timbres;

/// <summary>Says that a request uses a voice: until it is disposed, the voice makes no room for others. Disposing twice is harmless.</summary>
/// <remarks>A voice that is not in the cache (removed, evicted, a preset) is not put
/// there: its <see cref="LightTts.Timbre"/> is good without.</remarks>
internal sealed class TimbreLease : IDisposable
{
    private readonly TimbreCache _cache;
    private CachedTimbre? _voice;

    internal TimbreLease(TimbreCache cache, CachedTimbre? voice) => (_cache, _voice) = (cache, voice);

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _voice, null) is { } voice)
            _cache.Release(voice);
    }
}
