using System.Diagnostics;

namespace LightTts.Diagnostics;

/// <summary>Lets native work come to rest before the process ends.</summary>
/// <remarks>
/// When a process ends, the native libraries tear down what their threads may still use;
/// a thread that is inside one of them at that moment crashes the process, after its work
/// was done and with an exit code that says otherwise. So whoever loads or runs a model
/// registers here how to stop, and an end of the process without a dispose waits for that.
/// </remarks>
internal static class ProcessEnd
{
    /// <summary>The longest that the end of a process is held up.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    private static readonly Lock Gate = new();
    private static readonly HashSet<Entry> Entries = [];

    static ProcessEnd() => AppDomain.CurrentDomain.ProcessExit += (_, _) => OnExit();

    /// <summary>Registers work until the result is disposed.</summary>
    /// <param name="stop">Stops it; the task ends when it has come to rest.</param>
    public static IDisposable Register(Func<Task> stop)
    {
        var entry = new Entry(stop);
        lock (Gate)
            Entries.Add(entry);
        return entry;
    }

    private static void OnExit()
    {
        var began = Stopwatch.GetTimestamp();
        var asked = new HashSet<Entry>();
        while (true)
        {
            // Again and again: what was loading may be running now.
            Entry[] entries;
            lock (Gate)
                entries = [.. Entries.Where(asked.Add)];
            if (entries.Length == 0)
                return;
            try
            {
                Task.WaitAll([.. entries.Select(entry => Task.Run(entry.Stop))],
                    TimeSpan.FromTicks(Math.Max(0, (Limit - Stopwatch.GetElapsedTime(began)).Ticks)));
            }
            catch (AggregateException)
            {
                // It came to rest on an error.
            }
        }
    }

    private sealed class Entry(Func<Task> stop) : IDisposable
    {
        public Func<Task> Stop => stop;

        public void Dispose()
        {
            lock (Gate)
                Entries.Remove(this);
        }
    }
}
