namespace LightTts.Pipeline;

/// <summary>Text that arrives in pieces: pulls the user's source and keeps what the encode stage has not taken yet.</summary>
internal sealed class TextSource(IAsyncEnumerable<string> source, int maxPending, TimeSpan pause, TimeSpan idleTimeout)
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
    private bool _paused;

    /// <summary>Whether everything was taken and the source has been silent for the length of a pause since; true once for each pause.</summary>
    public bool TakePause()
    {
        lock (_gate)
        {
            var paused = _paused && _pending.Count == 0 && !_ended;
            _paused &= !paused;
            return paused;
        }
    }

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

    /// <summary>Pulls until the source ends, throws, falls silent, or the job ends; runs on the thread
    /// pool, never on a stage, and never on the consumer, because a source may block.</summary>
    public Task PumpAsync(SynthesisJob job, Action wake) => Task.Run(async () =>
    {
        try
        {
            var idle = job.Time.CreateTimer(_ => job.TryEnd(new TtsTimeoutException(nameof(TtsPipelineOptions.TextIdleTimeout), idleTimeout)), null,
                idleTimeout,
                Timeout.InfiniteTimeSpan);
            job.Own(idle);
            var pausing = job.Time.CreateTimer(_ => Pause(wake), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            job.Own(pausing);
            try
            {
                await PullAsync(job, idle, pausing, wake).ConfigureAwait(false);
            }
            catch (Exception e) when (!job.HasEnded)
            {
                // What was said completely before is still spoken.
                job.SourceError = new TtsRequestException($"The text source failed: {e.Message}", e);
            }
            idle.Dispose();
            pausing.Dispose();
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

    private async Task PullAsync(SynthesisJob job, ITimer idle, ITimer pausing, Action wake)
    {
        // However this ends, the source is asked to clean up, after its last MoveNextAsync has returned.
        var pieces = source.GetAsyncEnumerator(job.Aborted);
        await using var _ = pieces.ConfigureAwait(false);
        while (!job.HasEnded && await pieces.MoveNextAsync().ConfigureAwait(false))
        {
            if (pieces.Current is not { Length: > 0 } piece)
                continue; // that is silence, too
            idle.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            pausing.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            lock (_gate)
                _paused = false;
            // In slices, so that a huge piece does not become utterances all at once; where text is cut changes nothing.
            for (var i = 0; i < piece.Length; i += SliceLength)
                await AddAsync(piece.Substring(i, Math.Min(SliceLength, piece.Length - i)), job.Aborted, wake).ConfigureAwait(false);
            idle.Change(idleTimeout, Timeout.InfiniteTimeSpan);
            pausing.Change(pause, Timeout.InfiniteTimeSpan);
        }
    }

    private void Pause(Action wake)
    {
        lock (_gate)
            _paused = true;
        wake();
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
