using System.Collections.Concurrent;

namespace LightTts.Tests.Hub;

/// <summary>A clock by which every wait is over at once, and which notes how long it should have been; periodic timers tick when a
/// test says so.</summary>
internal sealed class HastyTime : TimeProvider
{
    private readonly ConcurrentDictionary<Periodic, bool> _periodic = new();

    public ConcurrentQueue<TimeSpan> Waits { get; } = new();

    public void Tick()
    {
        foreach (var timer in _periodic.Keys)
            timer.Callback(timer.State);
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        if (period != Timeout.InfiniteTimeSpan)
        {
            var timer = new Periodic(this, callback, state);
            _periodic[timer] = true;
            return timer;
        }
        Waits.Enqueue(dueTime);
        return base.CreateTimer(callback, state, TimeSpan.Zero, period);
    }

    private sealed class Periodic(HastyTime owner, TimerCallback callback, object? state) : ITimer
    {
        public TimerCallback Callback => callback;

        public object? State => state;

        public bool Change(TimeSpan dueTime, TimeSpan period) => false;

        public void Dispose() => owner._periodic.TryRemove(this, out _);

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
