namespace LightTts.Timbres;

/// <summary>This process's voices, by bytes and by count, least recently used out first; those pinned or leased stay.</summary>
/// <remarks>One lock guards it all: a hit holds it for some tens of nanoseconds. Features
/// are immutable arrays, so whoever still holds a voice that left the cache
/// keeps a good voice.</remarks>
internal sealed class TimbreCache(long maxBytes, int maxTimbres)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<TimbreKey, CachedTimbre> _voices = [];
    private readonly Dictionary<string, NamedTimbre> _names = new(StringComparer.Ordinal);
    private CachedTimbre? _newest;
    private CachedTimbre? _oldest;
    private long _bytes;

    /// <summary>Bytes held, and voices, now.</summary>
    public (long Bytes, int Timbres) Usage
    {
        get
        {
            lock (_gate)
                return (_bytes, _voices.Count);
        }
    }

    public CachedTimbre? Get(in TimbreKey key)
    {
        lock (_gate)
        {
            if (_voices.TryGetValue(key, out var voice))
                Touch(voice);
            return voice;
        }
    }

    public NamedTimbre? Get(string name)
    {
        lock (_gate)
        {
            if (_names.TryGetValue(name, out var named))
                Touch(named.Owner);
            return named;
        }
    }

    /// <summary>Takes a voice, or finds the one with its key; then gives it the name, which moves where it is taken.</summary>
    /// <returns>The voice as it is kept, under the name where one was given. It is good even where there was no room to keep it.</returns>
    public Timbre Put(TimbreRecord record, string? name, bool pinned, long now)
    {
        lock (_gate)
        {
            var voice = Insert(record);
            voice.Pinned |= pinned;
            var timbre = name is null ? voice.Anonymous : Bind(voice, name, now).Timbre;
            Trim();
            return timbre;
        }
    }

    /// <summary>Forgets a name; the voice stays.</summary>
    public bool Unbind(string name)
    {
        lock (_gate)
            return _names.Remove(name, out var named) && named.Owner.Names.Remove(named);
    }

    public bool Remove(in TimbreKey key)
    {
        lock (_gate)
        {
            if (!_voices.TryGetValue(key, out var voice))
                return false;
            Drop(voice);
            return true;
        }
    }

    public bool SetPinned(in TimbreKey key, bool pinned)
    {
        lock (_gate)
        {
            if (!_voices.TryGetValue(key, out var voice))
                return false;
            voice.Pinned = pinned;
            Trim();
            return true;
        }
    }

    /// <summary>Says that a voice is in use.</summary>
    public TimbreLease Lease(in TimbreKey key)
    {
        lock (_gate)
        {
            if (_voices.TryGetValue(key, out var voice))
                voice.Leases++;
            return new TimbreLease(this, voice);
        }
    }

    public List<TierEntry> List()
    {
        lock (_gate)
            return [.. _voices.Values.Select(voice => new TierEntry(
                voice.Record.Key, voice.Record.Transcript, voice.Record.Duration, voice.Record.CreatedAt, voice.Record.Origin, voice.Bytes,
                voice.Pinned,
                [.. voice.Names.Select(named => named.Timbre.Name!)]))];
    }

    public void Clear()
    {
        lock (_gate)
            while (_oldest is { } voice)
                Drop(voice);
    }

    internal void Release(CachedTimbre voice)
    {
        lock (_gate)
        {
            voice.Leases--;
            Trim();
        }
    }

    private CachedTimbre Insert(TimbreRecord record)
    {
        if (_voices.TryGetValue(record.Key, out var there))
        {
            if (!record.Supersedes(there.Record))
            {
                Touch(there);
                return there;
            }
            var names = there.Names.ToArray();
            Drop(there);
            var better = Insert(record);
            better.Pinned = there.Pinned;
            foreach (var named in names)
                Bind(better, named.Timbre.Name!, named.CheckedAt);
            return better;
        }
        var voice = new CachedTimbre(record);
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

    private void Trim()
    {
        for (var voice = _oldest; voice is not null && (_bytes > maxBytes || _voices.Count > maxTimbres);)
        {
            var newer = voice.Newer;
            if (voice.Leases == 0 && !voice.Pinned)
                Drop(voice);
            voice = newer;
        }
    }

    private void Drop(CachedTimbre voice)
    {
        _voices.Remove(voice.Record.Key);
        foreach (var named in voice.Names)
            _names.Remove(named.Timbre.Name!);
        voice.Names.Clear();
        _bytes -= voice.Bytes;
        Unlink(voice);
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
}
