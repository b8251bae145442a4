using LightTts.Timbres;

namespace LightTts.Models.CosyVoice.Flow;

/// <summary>Precomputed prompts by voice and number of solver steps; the least recently used go when they exceed the budget.</summary>
internal sealed class FlowPrefixCache(long budget) : IDisposable
{
    private readonly LinkedList<(TimbreFeatures Timbre, int Steps, FlowPrefix Prefix)> _entries = new(); // most recent first; few, so a search is enough

    public long Bytes { get; private set; }

    /// <summary>A held prefix, or null where none is stored.</summary>
    public FlowPrefix? Find(TimbreFeatures timbre, int steps)
    {
        for (var node = _entries.First; node is not null; node = node.Next)
        {
            if (!ReferenceEquals(node.Value.Timbre, timbre) || node.Value.Steps != steps)
                continue;
            _entries.Remove(node);
            _entries.AddFirst(node);
            return node.Value.Prefix.Hold();
        }
        return null;
    }

    /// <summary>Stores a prefix, of which this takes the creator's hold.</summary>
    public void Add(TimbreFeatures timbre, int steps, FlowPrefix prefix)
    {
        _entries.AddFirst((timbre, steps, prefix));
        Bytes += prefix.Bytes;
        while (Bytes > budget && _entries.Last is { } oldest)
        {
            _entries.RemoveLast();
            Bytes -= oldest.Value.Prefix.Bytes;
            oldest.Value.Prefix.Release();
        }
    }

    public void Dispose()
    {
        foreach (var entry in _entries)
            entry.Prefix.Release();
        _entries.Clear();
        Bytes = 0;
    }
}
