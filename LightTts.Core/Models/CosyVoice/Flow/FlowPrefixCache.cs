using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using LightTts.Timbres;

namespace LightTts.Models.CosyVoice.Flow;

/// <summary>What a precomputed prompt depends on: the voice's content, whichever object holds it, and the number of solver steps.</summary>
internal readonly record struct FlowPrefixKey(UInt128 Voice, int Steps)
{
    private static readonly ConditionalWeakTable<TimbreFeatures, StrongBox<UInt128>> Voices = [];

    /// <summary>The key of a voice; its content is hashed once an object.</summary>
    public static FlowPrefixKey Of(TimbreFeatures timbre, int steps) =>
        new(Voices.GetValue(timbre, static timbre => new StrongBox<UInt128>(Hash(timbre))).Value, steps);

    private static UInt128 Hash(TimbreFeatures timbre)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        // Lengths first, so that no number can pass from one part to the next.
        hash.AppendData(MemoryMarshal.AsBytes((ReadOnlySpan<int>)[timbre.SpeechTokens.Length, timbre.Mel.Length, timbre.MelFrames]));
        hash.AppendData(MemoryMarshal.AsBytes<int>(timbre.SpeechTokens));
        hash.AppendData(MemoryMarshal.AsBytes<float>(timbre.Mel));
        hash.AppendData(MemoryMarshal.AsBytes<float>(timbre.Embedding));
        return MemoryMarshal.Read<UInt128>(hash.GetHashAndReset());
    }
}

/// <summary>Precomputed prompts by voice and number of solver steps; the least recently used go when they exceed the budget.</summary>
/// <param name="budget">Bytes that they may take; asked for when there is something to store.</param>
internal sealed class FlowPrefixCache(Func<long> budget) : IDisposable
{
    private readonly LinkedList<(FlowPrefixKey Key, FlowPrefix Prefix)> _entries = new(); // most recent first; few, so a search is enough

    private long _bytes;

    /// <summary>Bytes that they take now; on any thread.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>A held prefix, or null where none is stored.</summary>
    public FlowPrefix? Find(FlowPrefixKey key)
    {
        for (var node = _entries.First; node is not null; node = node.Next)
        {
            if (node.Value.Key != key)
                continue;
            _entries.Remove(node);
            _entries.AddFirst(node);
            return node.Value.Prefix.Hold();
        }
        return null;
    }

    /// <summary>Stores a prefix, of which this takes the creator's hold.</summary>
    public void Add(FlowPrefixKey key, FlowPrefix prefix)
    {
        _entries.AddFirst((key, prefix));
        Interlocked.Add(ref _bytes, prefix.Bytes);
        while (Bytes > budget() && _entries.Last is { } oldest)
            Drop(oldest);
    }

    /// <summary>Drops the least recently used that no utterance uses.</summary>
    /// <returns>False where there is none.</returns>
    public bool TryDropIdle()
    {
        for (var node = _entries.Last; node is not null; node = node.Previous)
        {
            if (!node.Value.Prefix.IsIdle)
                continue;
            Drop(node);
            return true;
        }
        return false;
    }

    public void Dispose()
    {
        foreach (var entry in _entries)
            entry.Prefix.Release();
        _entries.Clear();
        Interlocked.Exchange(ref _bytes, 0);
    }

    private void Drop(LinkedListNode<(FlowPrefixKey Key, FlowPrefix Prefix)> node)
    {
        _entries.Remove(node);
        Interlocked.Add(ref _bytes, -node.Value.Prefix.Bytes);
        node.Value.Prefix.Release();
    }
}
