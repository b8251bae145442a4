namespace LightTts.Pipeline;

/// <summary>The requests of all engines of a pipeline: how many are in, and the number of the next.</summary>
internal sealed class Admission
{
    private int _active;
    private long _lastId;

    /// <summary>Requests that are in.</summary>
    public int Active => Volatile.Read(ref _active);

    /// <summary>One more.</summary>
    /// <returns>How many there are with it.</returns>
    public int Enter() => Interlocked.Increment(ref _active);

    public void Leave() => Interlocked.Decrement(ref _active);

    public long NextId() => Interlocked.Increment(ref _lastId);
}
