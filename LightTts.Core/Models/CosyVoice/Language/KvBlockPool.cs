using System.Runtime.InteropServices;

namespace LightTts.Models.CosyVoice.Language;

/// <summary>Says which blocks of the KV cache are in use; where their numbers lie is the engine's business.</summary>
internal sealed class KvBlockPool
{
    private readonly Stack<int> _free;

    public KvBlockPool(int blocks)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(blocks, 1);
        Blocks = blocks;
        _free = new Stack<int>(Enumerable.Range(0, blocks).Reverse());
    }

    /// <summary>Positions in a block.</summary>
    public const int BlockSize = 16;

    public int Blocks { get; }

    public int Free => _free.Count;

    public int Take() => _free.Pop();

    public void Return(int block) => _free.Push(block);
}

/// <summary>A sequence's blocks, in the order of its positions.</summary>
internal sealed class LanguageState(KvBlockPool pool) : ILanguageState
{
    private readonly List<int> _blocks = [];
    private bool _disposed;

    public int Length { get; private set; }

    /// <summary>The pool that the blocks belong to.</summary>
    internal KvBlockPool Pool => pool;

    /// <summary>Numbers of the blocks; the last may be partly used.</summary>
    public IReadOnlyList<int> Blocks => _blocks;

    /// <summary>The same, to be copied; good until more are taken.</summary>
    public ReadOnlySpan<int> BlockNumbers => CollectionsMarshal.AsSpan(_blocks);

    /// <summary>Blocks that it lacks for that many more positions.</summary>
    public int BlocksFor(int positions) => (Length + positions + KvBlockPool.BlockSize - 1) / KvBlockPool.BlockSize - _blocks.Count;

    /// <summary>Takes the blocks for that many more positions.</summary>
    public void Reserve(int positions)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        for (var missing = BlocksFor(positions); missing > 0; missing--)
            _blocks.Add(pool.Take());
    }

    /// <summary>That many more positions are in the cache.</summary>
    public void Advance(int positions) => Length += positions;

    public void Retreat(int positions) => Length -= positions;

    public void Reset()
    {
        foreach (var block in _blocks)
            pool.Return(block);
        _blocks.Clear();
        Length = 0;
    }

    public void Dispose()
    {
        Reset();
        _disposed = true;
    }
}
