namespace LightTts.Pipeline;

/// <summary>Text that arrives in pieces: pulls the user's source and keeps what the encode stage has not taken yet.</summary>
internal sealed class TextSource(IAsyncEnumerable<string> source, int maxPending, TimeSpan idleTimeout)
{
    private const int SliceLength = 256;

    private readonly Lock _gate = new();
    private readonly Queue<string> _pending = new();
    private TaskCompletionSource? _room;
    private int _characters;

    /// <summary>Whether the source has ended and everything was taken.</summary>
    public bool IsDrained
    {
        get
        {
            lock (_gate)
                return _ended && _pending.Count == 0;
        }
    }

    private bool _ended;

    public bool TryTake(out string? piece)
    {
        TaskCompletionSource? room;
        lock (_gate)
        {
            if (!_pending.TryDequeue(out piece))
                return false;
            _characters -= piece.Length;
            room = _characters < maxPending ? Interlocked.Exchange(ref _room, null) : null;
        }
        room?.TrySetResult();
        return true;
    }

    /// <summary>Pulls until the source ends, throws, falls silent, or the job ends; runs on the thread pool, never on a stage, and never on the consumer, because a source may block.</summary>
    public Task PumpAsync(SynthesisJob job, Action wake) => Task.Run(async () =>
    {
        try
        {
            var idle = job.Time.CreateTimer(_ => job.TryEnd(new TtsTimeoutException(nameof(TtsPipelineOptions.TextIdleTimeout), idleTimeout)), null, idleTimeout,
                Timeout.InfiniteTimeSpan);
            job.Own(idle);
            await PullAsync(job, idle, wake).ConfigureAwait(false);
            idle.Dispose();
            lock (_gate)
                _ended = true;
            wake();
        }
        catch (Exception e)
        {
            // Where the job went first, nobody waits for text any more and this changes nothing.
            job.TryEnd(new TtsRequestException($"The text source failed: {e.Message}", e));
        }
    });

    private async Task PullAsync(SynthesisJob job, ITimer idle, Action wake)
    {
        // However this ends, the source is asked to clean up, after its last MoveNextAsync has returned.
        var pieces = source.GetAsyncEnumerator(job.Aborted);
        await using var _ = pieces.ConfigureAwait(false);
        while (!job.HasEnded && await pieces.MoveNextAsync().ConfigureAwait(false))
        {
            if (pieces.Current is not { Length: > 0 } piece)
                continue; // that is silence, too
            idle.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            // In slices, so that a huge piece does not become utterances all at once; where text is cut changes nothing.
            for (var i = 0; i < piece.Length; i += SliceLength)
                await AddAsync(piece.Substring(i, Math.Min(SliceLength, piece.Length - i)), job.Aborted, wake).ConfigureAwait(false);
            idle.Change(idleTimeout, Timeout.InfiniteTimeSpan);
        }
    }

    private async ValueTask AddAsync(string piece, CancellationToken aborted, Action wake)
    {
        TaskCompletionSource? room = null;
        lock (_gate)
        {
            _pending.Enqueue(piece);
            _characters += piece.Length;
            if (_characters >= maxPending)
                _room = room = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
        wake();
        if (room is not null)
            await room.Task.WaitAsync(aborted).ConfigureAwait(false);
    }
}
