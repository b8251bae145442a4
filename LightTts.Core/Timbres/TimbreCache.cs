namespace LightTts.Timbres;

/// <summary>This process's voices, by bytes and by count, least recently used out first; those pinned or leased stay.</summary>
/// <remarks>One lock guards it all: a hit holds it for some tens of nanoseconds. Features are immutable arrays, so whoever still holds a voice that left the cache
/// keeps a good voice. What was derived from voices is disposed outside the lock.</remarks>
internal sealed class TimbreCache(long maxBytes, int maxTimbres) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<TimbreKey, CachedTimbre> _voices = [];
    private readonly Dictionary<string, NamedTimbre> _names = new(StringComparer.Ordinal);
    private CachedTimbre? _newest;
    private CachedTimbre? _oldest;
    private long _bytes;
    private bool _disposed;

    /// <summary>Bytes held, and voices, now.</summary>
    public (long Bytes, int Timbres) Usage
    {
        get
        {
            lock (_gate)
                return (_bytes, _voices.Count);
        }
    }

    public Timbre? Get(in TimbreKey key)
    {
        lock (_gate)
        {
            if (!_voices.TryGetValue(key, out var voice))
                return null;
            Touch(voice);
            return voice.Anonymous;
        }
    }

    public TimbreRecord? GetRecord(in TimbreKey key)
    {
        lock (_gate)
            return _voices.GetValueOrDefault(key)?.Record;
    }

    public NamedTimbre? Get(string name)
    {
        lock (_gate)
        {
            if (!_names.TryGetValue(name, out var named))
                return null;
            Touch(named.Owner);
            return named;
        }
    }

    /// <summary>Takes a voice, or finds the one with its key; then gives it the name.</summary>
    /// <returns>The voice as it is kept, under the name where one was given. It is good even where there was no room to keep it.</returns>
    public Timbre Put(TimbreRecord record, string? name, bool pinned, long now)
    {
        List<IDisposable>? dropped = null;
        Timbre timbre;
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, typeof(ITimbreStore));
            var voice = Insert(record);
            voice.Pinned |= pinned;
            timbre = name is null ? voice.Anonymous : Bind(voice, name, now).Timbre;
            Trim(ref dropped);
        }
        DisposeAll(dropped);
        return timbre;
    }

    /// <summary>Gives a cached voice a name; a name that is taken moves.</summary>
    public Timbre? Bind(in TimbreKey key, string name, long now)
    {
        lock (_gate)
            return _voices.TryGetValue(key, out var voice) ? Bind(voice, name, now).Timbre : null;
    }

    /// <summary>Forgets a name; the voice stays.</summary>
    public void Unbind(string name)
    {
        lock (_gate)
            if (_names.Remove(name, out var named))
                named.Owner.Names.Remove(named);
    }

    public bool Remove(in TimbreKey key)
    {
        List<IDisposable>? dropped = null;
        bool found;
        lock (_gate)
        {
            found = _voices.TryGetValue(key, out var voice);
            if (voice is not null)
                Drop(voice, ref dropped);
        }
        DisposeAll(dropped);
        return found;
    }

    public bool SetPinned(in TimbreKey key, bool pinned)
    {
        List<IDisposable>? dropped = null;
        bool found;
        lock (_gate)
        {
            found = _voices.TryGetValue(key, out var voice);
            if (voice is not null)
                voice.Pinned = pinned;
            Trim(ref dropped);
        }
        DisposeAll(dropped);
        return found;
    }

    /// <summary>Says that a voice is in use. One that has left the cache comes back.</summary>
    public TimbreLease Lease(Timbre timbre, TimbreRecord record)
    {
        List<IDisposable>? dropped = null;
        TimbreLease lease;
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, typeof(ITimbreStore));
            var voice = Insert(record);
            voice.Leases++;
            lease = new TimbreLease(this, voice, timbre);
            Trim(ref dropped);
        }
        DisposeAll(dropped);
        return lease;
    }

    public List<(TimbreRecord Record, string[] Names, bool Pinned)> Snapshot()
    {
        lock (_gate)
            return [.. _voices.Values.Select(voice => (voice.Record, voice.Names.Select(named => named.Timbre.Name!).ToArray(), voice.Pinned))];
    }

    public void Dispose()
    {
        List<IDisposable>? dropped = null;
        lock (_gate)
        {
            _disposed = true;
            while (_oldest is { } voice)
                Drop(voice, ref dropped);
        }
        DisposeAll(dropped);
    }

    internal object? GetDerived(CachedTimbre voice)
    {
        lock (_gate)
            return voice.Derived;
    }

    internal bool TrySetDerived(CachedTimbre voice, IDisposable derived, long bytes)
    {
        List<IDisposable>? dropped = null;
        lock (_gate)
        {
            if (voice.Derived is not null)
                return false;
            (voice.Derived, voice.DerivedBytes) = (derived, bytes);
            if (voice.Cached)
                _bytes += bytes;
            Trim(ref dropped);
        }
        DisposeAll(dropped);
        return true;
    }

    internal void Release(CachedTimbre voice)
    {
        List<IDisposable>? dropped = null;
        lock (_gate)
        {
            voice.Leases--;
            if (!voice.Cached)
                TakeDerived(voice, ref dropped);
            Trim(ref dropped);
        }
        DisposeAll(dropped);
    }

    private CachedTimbre Insert(TimbreRecord record)
    {
        if (_voices.TryGetValue(record.Key, out var voice))
        {
            Touch(voice);
            return voice;
        }
        voice = new CachedTimbre(record) { Cached = true };
        _voices.Add(record.Key, voice);
        _bytes += voice.Bytes;
        LinkNewest(voice);
        return voice;
    }

    private NamedTimbre Bind(CachedTimbre voice, string name, long now)
    {
        if (_names.TryGetValue(name, out var named))
        {
            named.CheckedAt = now;
            if (named.Owner == voice)
                return named;
            named.Owner.Names.Remove(named);
        }
        named = new NamedTimbre(voice, name) { CheckedAt = now };
        voice.Names.Add(named);
        _names[name] = named;
        return named;
    }

    private void Trim(ref List<IDisposable>? dropped)
    {
        for (var voice = _oldest; voice is not null && (_bytes > maxBytes || _voices.Count > maxTimbres);)
        {
            var newer = voice.Newer;
            if (voice.Leases == 0 && !voice.Pinned)
                Drop(voice, ref dropped);
            voice = newer;
        }
    }

    private void Drop(CachedTimbre voice, ref List<IDisposable>? dropped)
    {
        _voices.Remove(voice.Record.Key);
        foreach (var named in voice.Names)
            _names.Remove(named.Timbre.Name!);
        voice.Names.Clear();
        _bytes -= voice.Bytes;
        Unlink(voice);
        voice.Cached = false;
        TakeDerived(voice, ref dropped);
    }

    // A lease keeps what was derived alive after its voice was removed: the request that reads it may be in the middle of a pass.
    private static void TakeDerived(CachedTimbre voice, ref List<IDisposable>? dropped)
    {
        if (voice.Leases > 0 || voice.Derived is not { } derived)
            return;
        (voice.Derived, voice.DerivedBytes) = (null, 0);
        (dropped ??= []).Add(derived);
    }

    private void Touch(CachedTimbre voice)
    {
        if (voice == _newest)
            return;
        Unlink(voice);
        LinkNewest(voice);
    }

    private void LinkNewest(CachedTimbre voice)
    {
        voice.Older = _newest;
        if (_newest is not null)
            _newest.Newer = voice;
        _newest = voice;
        _oldest ??= voice;
    }

    private void Unlink(CachedTimbre voice)
    {
        if (voice.Newer is null)
            _newest = voice.Older;
        else
            voice.Newer.Older = voice.Older;
        if (voice.Older is null)
            _oldest = voice.Newer;
        else
            voice.Older.Newer = voice.Newer;
        (voice.Newer, voice.Older) = (null, null);
    }

    private static void DisposeAll(List<IDisposable>? dropped)
    {
        if (dropped is not null)
            foreach (var derived in dropped)
                derived.Dispose();
    }
}
