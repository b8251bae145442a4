namespace LightTts.Timbres;

/// <summary>A voice in this process's cache. Everything that changes is guarded by the cache's lock.</summary>
internal sealed class CachedTimbre(TimbreRecord record)
{
    public TimbreRecord Record { get; } = record;

    public Timbre Anonymous { get; } = record.ToTimbre(null);

    /// <summary>Names of this voice, with the object that carries each.</summary>
    public List<NamedTimbre> Names { get; } = [];

    /// <summary>Requests that use it now.</summary>
    public int Leases { get; set; }

    public bool Pinned { get; set; }

    public long Bytes => Record.MemoryBytes;

    /// <summary>Neighbours in order of use.</summary>
    public CachedTimbre? Newer { get; set; }

    /// <inheritdoc cref="Newer"/>
    public CachedTimbre? Older { get; set; }
}
