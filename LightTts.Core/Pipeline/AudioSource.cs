namespace LightTts.Pipeline;

/// <summary>Speech that arrives in pieces: pulls the user's source and keeps what the encode stage has not taken yet.</summary>
internal sealed class AudioSource(IAsyncEnumerable<AudioClip> source, TimeSpan idleTimeout)
{
    /// <summary>Audio that may wait in front of the encode stage, in seconds: a source that is read faster than it is converted
    /// is not kept whole.</summary>
    private const double MaxPending = 5;

    private readonly Lock _gate = new();
    private readonly Queue<AudioClip> _pending = new();
    private TaskCompletionSource? _room;
    private double _seconds;
    private bool _ended;

    /// <summary>Whether the source has ended and everything was taken.</summary>
    public bool IsDrained
    {
        get
        {
            lock (_gate)
                return _ended && _pending.Count == 0;
        }
    }

    public bool TryTake(out AudioClip? piece)
    {
        TaskCompletionSource? room;
        lock (_gate)
        {
            if (!_pending.TryDequeue(out piece))
                return false;
            _seconds -= piece.Duration.TotalSeconds;
            room = _seconds < MaxPending || _pending.Count == 0 ? Interlocked.Exchange(ref _room, null) : null;
        }
        room?.TrySetResult();
        return true;
    }

    /// <summary>Pulls until the source ends, throws, falls silent, or the job ends; runs on the thread pool, never on a stage, and never on
    /// the consumer, because a source may block.</summary>
    public Task PumpAsync(SynthesisJob job, Action wake) => Task.Run(async () =>
    {
        try
        {
            var idle = job.Time.CreateTimer(_ => job.TryEnd(new TtsTimeoutException(nameof(TtsPipelineOptions.TextIdleTimeout), idleTimeout)), null,
                idleTimeout, Timeout.InfiniteTimeSpan);
            job.Own(idle);
            try
            {
                await PullAsync(job, idle, wake).ConfigureAwait(false);
            }
            catch (Exception e) when (!job.HasEnded)
            {
                // What was said before is still spoken.
                job.SourceError = Failed(e);
            }
            idle.Dispose();
            lock (_gate)
                _ended = true;
            wake();
        }
        catch (Exception e)
        {
            // Where the job went first, nobody waits for audio any more and this changes nothing.
            job.TryEnd(Failed(e));
        }
    });

    private static TtsRequestException Failed(Exception e) => new($"The audio source failed: {e.Message}", e);

    private async Task PullAsync(SynthesisJob job, ITimer idle, Action wake)
    {
        // However this ends, the source is asked to clean up, after its last MoveNextAsync has returned.
        var pieces = source.GetAsyncEnumerator(job.Aborted);
        await using var _ = pieces.ConfigureAwait(false);
        while (!job.HasEnded && await pieces.MoveNextAsync().ConfigureAwait(false))
        {
            if (pieces.Current is not { Samples.IsEmpty: false } piece)
                continue; // that is no audio
            idle.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            await AddAsync(piece, job.Aborted, wake).ConfigureAwait(false);
            idle.Change(idleTimeout, Timeout.InfiniteTimeSpan);
        }
    }

    private async ValueTask AddAsync(AudioClip piece, CancellationToken aborted, Action wake)
    {
        TaskCompletionSource? room = null;
        lock (_gate)
        {
            _pending.Enqueue(piece);
            _seconds += piece.Duration.TotalSeconds;
            if (_seconds >= MaxPending)
                _room = room = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
        wake();
        if (room is not null)
            await room.Task.WaitAsync(aborted).ConfigureAwait(false);
    }
}
