using System.Runtime.CompilerServices;
using System.Threading.Channels;
using LightTts.Diagnostics;
using LightTts.Models;
using Microsoft.Extensions.Logging;

namespace LightTts.Pipeline;

/// <summary>One of the pipeline's three stages: a named thread that owns its models and takes messages from a bounded channel.</summary>
/// <remarks>
/// The thread never awaits and no exception leaves its loop: what goes wrong fails the
/// job it belongs to. Messages flow Encode -> Language -> Decode and may
/// block their sender there; against that direction stages only set flags on a job and
/// <see cref="Wake"/>, which never blocks, so that no cycle of waiting exists.
/// </remarks>
internal abstract class Stage<TMessage> where TMessage : struct
{
    private readonly PipelineStage _stage;
    private readonly Channel<TMessage> _inbox;
    private readonly Thread _thread;
    private readonly TaskCompletionSource _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TimeProvider _time;
    private readonly object _bell = new();
    private bool _isRung; // under the bell's lock
    private volatile bool _isDying; // on an error
    private int _wakePending;
    private long _busySince; // timestamp at which the step under way began; 0 while the thread waits for messages

    protected Stage(PipelineStage stage, int capacity, TimeProvider time, ILogger log)
    {
        _stage = stage;
        Name = stage.Name();
        Log = log;
        _time = time;
        _inbox = Channel.CreateBounded<TMessage>(new BoundedChannelOptions(capacity) { SingleReader = true });
        _thread = new Thread(Run) { Name = "LightTts " + Name, IsBackground = true };
    }

    public string Name { get; }

    /// <summary>Ends when the thread is ready to serve, or with what kept it from that.</summary>
    public Task Started => _started.Task;

    /// <summary>Ends when the thread has freed its models and is gone.</summary>
    public Task Ended => _ended.Task;

    protected ILogger Log { get; }

    protected TimeProvider Time => _time;

    /// <summary>Called on the stage's thread when it is about to end on an error.</summary>
    public Action<Exception>? Died { get; init; }

    /// <summary>Starts the thread, without the caller's activity, culture scope or other flowing state: it serves everybody.</summary>
    public void Start() => _thread.UnsafeStart();

    /// <summary>Hands a message over; waits for room where the stage is behind.</summary>
    /// <returns>False where the stage has stopped.</returns>
    public bool Post(TMessage message)
    {
        if (TryPost(message))
            return true;
        try
        {
            _inbox.Writer.WriteAsync(message).AsTask().GetAwaiter().GetResult();
            Ring();
            return true;
        }
        catch (ChannelClosedException)
        {
            return false;
        }
    }

    /// <summary>As <see cref="Post"/>, for callers that are no stage: waits without blocking a thread.</summary>
    public async ValueTask PostAsync(TMessage message, CancellationToken cancellationToken)
    {
        await _inbox.Writer.WriteAsync(message, cancellationToken).ConfigureAwait(false);
        Ring();
    }

    /// <summary>Makes the thread look at its jobs again. Never blocks: a full inbox wakes
    /// it anyway. At most one wake is in the inbox at a time.</summary>
    public void Wake()
    {
        if (Interlocked.Exchange(ref _wakePending, 1) == 0)
            TryPost(default);
    }

    /// <summary>Lets the thread finish what it has and end.</summary>
    public void Stop()
    {
        _inbox.Writer.TryComplete();
        Ring();
    }

    /// <summary>What the stage is doing, for health checks; safe to call from any thread.</summary>
    public StageStatus Status()
    {
        var busy = Interlocked.Read(ref _busySince);
        return new StageStatus
        {
            Stage = _stage,
            IsAlive = _thread.IsAlive && !_isDying && !_ended.Task.IsCompleted,
            BusyFor = busy == 0 ? TimeSpan.Zero : _time.GetElapsedTime(busy),
            QueueLength = _inbox.Reader.Count,
        };
    }

    /// <summary>Prepares the thread; the result is disposed when the loop ends.</summary>
    protected abstract IDisposable Enter();

    /// <summary>Makes the models ready, before the first message is taken.</summary>
    protected abstract void WarmUp();

    /// <summary>Takes a message; must be quick.</summary>
    protected abstract void Receive(TMessage message);

    /// <summary>A message could not be taken: fail what it belongs to, and only that.</summary>
    protected abstract void Refuse(TMessage message, Exception cause);

    /// <summary>Does one step of work.</summary>
    /// <returns>Whether there is more to do without a new message.</returns>
    protected abstract bool Step();

    /// <summary>A step threw what nobody could attribute to a job: fail all that the stage holds.</summary>
    protected abstract void Fault(Exception cause);

    /// <summary>Frees what the stage holds, models included; the last thing its thread does.</summary>
    protected abstract void Close();

    private void Run()
    {
        IDisposable? scope = null;
        try
        {
            scope = Enter();
            WarmUp();
            _started.SetResult();
            Loop();
        }
        catch (Exception e)
        {
            _isDying = true; // before anybody is told
            LogMessages.StageDied(Log, e, Name);
            if (_started.TrySetException(e))
                _ = _started.Task.Exception; // whoever loads sees it; where nobody looks, it is no unobserved one
            Stop(); // nobody may wait for room in an inbox that is never read again
            Guarded(() => Fault(e));
            while (_inbox.Reader.TryRead(out var message))
                Guarded(() => Refuse(message, e));
            Guarded(() => Died?.Invoke(e));
        }
        finally
        {
            Guarded(Close);
            Guarded(() => scope?.Dispose());
            _ended.SetResult();
        }
    }

    private void Loop()
    {
        var more = false;
        while (more || WaitForMessage())
        {
            Interlocked.Exchange(ref _busySince, Math.Max(1, _time.GetTimestamp()));
            try
            {
                Poll();
                // After the inbox was emptied: reset before, a wake that comes between would
                // leave the flag up with no message to take it down, and all later ones be lost.
                Interlocked.Exchange(ref _wakePending, 0);
                more = Step();
            }
            catch (Exception e) when (!DeviceLoss.Is(e)) // with the device, the stage ends, and so does the pipeline
            {
                LogMessages.StageStepFailed(Log, e, Name);
                Fault(e);
                more = false;
            }
            if (!more)
                Interlocked.Exchange(ref _busySince, 0);
        }
    }

    /// <summary>Takes the messages that have come since the step began, for steps that last.</summary>
    protected void Poll()
    {
        while (_inbox.Reader.TryRead(out var message))
            Take(message);
    }

    private void Take(TMessage message)
    {
        try
        {
            Receive(message);
        }
        catch (Exception e)
        {
            LogMessages.StageStepFailed(Log, e, Name);
            Refuse(message, e);
        }
    }

    private bool TryPost(TMessage message)
    {
        if (!_inbox.Writer.TryWrite(message))
            return false;
        Ring();
        return true;
    }

    /// <summary>Lets the thread look into its inbox. The channel's own signal would come by way of the thread pool, and twice as late.</summary>
    private void Ring()
    {
        lock (_bell)
        {
            _isRung = true;
            Monitor.Pulse(_bell);
        }
    }

    /// <summary>Blocks this thread, and no thread-pool thread, until there is a message;
    /// false once the stage was stopped and its inbox is empty.</summary>
    private bool WaitForMessage()
    {
        while (!_inbox.Reader.TryPeek(out _))
        {
            if (_inbox.Reader.Completion.IsCompleted)
                return false;
            lock (_bell)
            {
                while (!_isRung)
                    Monitor.Wait(_bell);
                _isRung = false;
            }
        }
        return true;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Guarded(Action action)
    {
        try
        {
            action();
        }
        catch (Exception e)
        {
            LogMessages.StageStepFailed(Log, e, Name);
        }
    }
}
