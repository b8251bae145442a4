namespace LightTts.Timbres;

/// <summary>A name of a cached voice.</summary>
internal sealed class NamedTimbre(CachedTimbre owner, string name)
{
    private long _checkedAt;

    public CachedTimbre Owner { get; } = owner;

    public Timbre Timbre { get; } = owner.Record.ToTimbre(name);

    /// <summary>When the segment was last asked whether the name still stands for this voice (a timestamp of the store's clock).</summary>
    public long CheckedAt
    {
        get => Volatile.Read(ref _checkedAt);
        set => Volatile.Write(ref _checkedAt, value);
    }
}
