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

    /// <summary>Pulls until the source ends, throws, or the job ends; runs on the thread pool, never on a stage.</summary>
    public async Task PumpAsync(SynthesisJob job, Action wake)
    {
        try
        {
            var pieces = source.GetAsyncEnumerator(job.Aborted);
            while (await NextAsync(pieces, job).ConfigureAwait(false))
            {
                // In slices, so that a huge piece does not become utterances all at once; where text is cut changes nothing.
                var piece = pieces.Current ?? "";
                for (var i = 0; i < piece.Length; i += SliceLength)
                {
                    await AddAsync(piece.Substring(i, Math.Min(SliceLength, piece.Length - i)), job.Aborted, wake).ConfigureAwait(false);
                }
            }
            lock (_gate)
                _ended = true;
            wake();
            await pieces.DisposeAsync().ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (job.HasEnded)
        {
            // The job went first; nobody waits for text any more.
        }
        catch (Exception e)
        {
            job.TryEnd(new TtsRequestException($"The text source failed: {e.Message}", e));
        }
    }

    private async ValueTask<bool> NextAsync(IAsyncEnumerator<string> pieces, SynthesisJob job)
    {
        var next = pieces.MoveNextAsync();
        if (next.IsCompleted)
            return await next.ConfigureAwait(false);
        try
        {
            return await next.AsTask().WaitAsync(idleTimeout, job.Time, job.Aborted).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            job.TryEnd(new TtsTimeoutException(nameof(TtsPipelineOptions.TextIdleTimeout), idleTimeout));
            throw new OperationCanceledException(job.Aborted);
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
