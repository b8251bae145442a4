namespace LightTts.Hub;

/// <summary>Ends a transfer that brings next to nothing: silent connections and slow drips alike.</summary>
internal sealed class StallGuard : IDisposable
{
    private const double BytesPerSecond = 1000;

    private readonly CancellationTokenSource _source;
    private readonly ITimer _timer;
    private readonly long _least;
    private long _bytes;

    public StallGuard(TimeProvider time, TimeSpan window, CancellationToken cancellationToken)
    {
        _source = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        _least = (long)Math.Max(1, window.TotalSeconds * BytesPerSecond);
        _timer = time.CreateTimer(_ => Look(), null, window, window);
    }

    public CancellationToken Token => _source.Token;

    /// <summary>Whether it was the guard that ended the transfer.</summary>
    public bool HasStalled { get; private set; }

    public void Add(int bytes) => Interlocked.Add(ref _bytes, bytes);

    public void Dispose()
    {
        _timer.Dispose();
        _source.Dispose();
    }

    private void Look()
    {
        if (Interlocked.Exchange(ref _bytes, 0) >= _least)
            return;
        HasStalled = true;
        try
        {
            _source.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The transfer ended in the same moment.
        }
    }
}
