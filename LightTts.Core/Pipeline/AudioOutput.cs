using System.Threading.Channels;

namespace LightTts.Pipeline;

/// <summary>The way of a request's audio to its consumer. Writing never blocks; what may
/// wait is limited by not scheduling a job whose output is full.</summary>
internal sealed class AudioOutput(long capacity, Action onSpace)
{
    private readonly Channel<AudioChunk> _chunks =
        Channel.CreateUnbounded<AudioChunk>(new UnboundedChannelOptions { SingleReader = true, SingleWriter = false });
    private long _buffered;

    /// <summary>Whether as many samples wait as may.</summary>
    public bool IsFull => Interlocked.Read(ref _buffered) >= capacity;

    public void Write(AudioChunk chunk)
    {
        Interlocked.Add(ref _buffered, chunk.Samples.Length);
        _chunks.Writer.TryWrite(chunk);
    }

    /// <summary>No more chunks; the consumer sees the error after those that were written.</summary>
    public void Complete(Exception? error) => _chunks.Writer.TryComplete(error);

    public ValueTask<bool> WaitAsync() => _chunks.Reader.WaitToReadAsync(CancellationToken.None);

    public bool TryRead(out AudioChunk? chunk)
    {
        if (!_chunks.Reader.TryRead(out chunk))
            return false;
        var before = Interlocked.Add(ref _buffered, -chunk.Samples.Length) + chunk.Samples.Length;
        if (before >= capacity && !IsFull)
            onSpace();
        return true;
    }
}
