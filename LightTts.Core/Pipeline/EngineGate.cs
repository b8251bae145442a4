using LightTts.Models;

namespace LightTts.Pipeline;

/// <summary>Whether an engine takes requests: open, draining, closed, or lost; and how many are inside.</summary>
/// <param name="device">In messages; null where a pipeline has only one.</param>
/// <param name="time">The clock.</param>
internal sealed class EngineGate(string? device, TimeProvider time)
{
    private const int Open = 0, Draining = 1, Shut = 2;

    private TaskCompletionSource? _drained;
    private int _active;
    private int _state = Open;
    private Exception? _lost; // why a stage's thread ended

    /// <summary>Requests that have entered and not left.</summary>
    public int Active => Volatile.Read(ref _active);

    /// <summary>Whether it can serve no more because a stage has ended on an error.</summary>
    public bool IsLost => Volatile.Read(ref _lost) is not null;

    /// <summary>Whether what was let in will not be served either.</summary>
    public bool IsClosed => Volatile.Read(ref _state) == Shut || IsLost;

    /// <summary>Counts a request in; ask <see cref="ThrowIfClosed"/> then.</summary>
    /// <remarks>Counted first and checked then, while closing sets its flag first and counts then: one of the two sees the other.</remarks>
    public void Enter() => Interlocked.Increment(ref _active);

    public void Leave()
    {
        if (Interlocked.Decrement(ref _active) == 0)
            Volatile.Read(ref _drained)?.TrySetResult();
    }

    /// <summary>Lets nobody in any more and waits until all have left.</summary>
    /// <returns>Whether they have, within the time.</returns>
    public async Task<bool> DrainAsync(TimeSpan timeout, CancellationToken cancellationToken)
    {
        Interlocked.CompareExchange(ref _state, Draining, Open);
        var drained = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        drained = Interlocked.CompareExchange(ref _drained, drained, null) ?? drained;
        if (Active == 0)
            return true;
        try
        {
            await drained.Task.WaitAsync(timeout, time, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    /// <summary>Closes it for good.</summary>
    /// <returns>Whether it was not closed before.</returns>
    public bool Close() => Interlocked.Exchange(ref _state, Shut) != Shut;

    /// <summary>Notes why it can serve no more; the first cause stays.</summary>
    public void Lose(Exception cause) => Interlocked.CompareExchange(ref _lost, cause, null);

    public void ThrowIfClosed()
    {
        if (Volatile.Read(ref _state) != Open || IsLost)
            throw Closed();
    }

    /// <summary>What a request is told that was not served.</summary>
    public Exception Closed() => Volatile.Read(ref _lost) is { } cause
        ? new TtsSynthesisException(device is null
            ? $"The pipeline was lost on an error ({cause.Message}); dispose it and load a new one{NewProcess(cause)}."
            : $"The device {device} was lost on an error ({cause.Message}). New requests go to the pipeline's other devices, as long as there are "
                + $"any; to use it again, dispose the pipeline and load a new one{NewProcess(cause)}.", cause)
        : new ObjectDisposedException(nameof(TtsPipeline));

    // CUDA gives a process such an error as long as it lives.
    private static string NewProcess(Exception cause) => DeviceLoss.Is(cause) ? " in a new process" : "";
}
