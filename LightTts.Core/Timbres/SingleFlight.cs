namespace LightTts.Timbres;

/// <summary>Runs work for a key once, however many ask for it at the same time. All get
/// its result or its error; nothing is kept once it has ended.</summary>
internal sealed class SingleFlight<TKey, TResult> where TKey : notnull
{
    private readonly Lock _gate = new();
    private readonly Dictionary<TKey, Flight> _flights = [];

    /// <summary>Keys that are being worked on.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
                return _flights.Count;
        }
    }

    /// <summary>Joins the work for the key, or starts it.</summary>
    /// <param name="key">The key.</param>
    /// <param name="work">The work. Its token is cancelled when the last of those who wait has given up.</param>
    /// <param name="cancellationToken">Ends this caller's wait.</param>
    public async Task<TResult> RunAsync(TKey key, Func<CancellationToken, Task<TResult>> work, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Flight? flight;
        lock (_gate)
        {
            if (!_flights.TryGetValue(key, out flight))
            {
                var started = flight = new Flight();
                _flights.Add(key, flight);
                flight.Task = Task.Run(() => FlyAsync(key, started, work), CancellationToken.None);
            }
            flight.Waiters++;
        }
        try
        {
            return await flight.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            Leave(key, flight);
        }
    }

    private async Task<TResult> FlyAsync(TKey key, Flight flight, Func<CancellationToken, Task<TResult>> work)
    {
        try
        {
            return await work(flight.Abandoned.Token).ConfigureAwait(false);
        }
        finally
        {
            lock (_gate)
                End(key, flight);
        }
    }

    private void Leave(TKey key, Flight flight)
    {
        lock (_gate)
        {
            if (--flight.Waiters > 0 || flight.Task.IsCompleted)
                return;
            // Nobody can join from here on: whoever asks next starts afresh instead of inheriting the cancellation.
            End(key, flight);
        }
        flight.Abandoned.Cancel();
        // Nobody looks at its error any more.
        _ = flight.Task.ContinueWith(static task => _ = task.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted,
            TaskScheduler.Default);
    }

    private void End(TKey key, Flight flight)
    {
        if (_flights.TryGetValue(key, out var current) && current == flight)
            _flights.Remove(key);
    }

    private sealed class Flight
    {
        public Task<TResult> Task { get; set; } = null!;

        public int Waiters { get; set; }

        public CancellationTokenSource Abandoned { get; } = new();
    }
}
