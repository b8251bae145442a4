namespace LightTts.Models.CosyVoice.Flow;

/// <summary>The chunks of a voice's prompt that no generated token can change (their
/// look-ahead lies within the prompt), computed once for all utterances in that
/// voice. Immutable; lives until the store and all states that start from it have let go.</summary>
internal sealed class FlowPrefix(IFlowCache cache, FlowTail? tail, int tokens)
{
    private int _holders = 1;

    public IFlowCache Cache => cache;

    /// <summary>The encoder's tail behind <see cref="Tokens"/>.</summary>
    public FlowTail? Tail => tail;

    /// <summary>Prompt tokens that are done.</summary>
    public int Tokens => tokens;

    public long Bytes { get; } = cache.Bytes + (tail?.Bytes ?? 0);

    /// <summary>Whether nobody but the store holds it.</summary>
    public bool IsIdle => Volatile.Read(ref _holders) == 1;

    public FlowPrefix Hold()
    {
        Interlocked.Increment(ref _holders);
        return this;
    }

    public void Release()
    {
        if (Interlocked.Decrement(ref _holders) > 0)
            return;
        cache.Dispose();
        tail?.Dispose();
    }
}
