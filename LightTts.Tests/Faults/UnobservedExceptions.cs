using System.Collections.Concurrent;

namespace LightTts.Tests.Faults;

/// <summary>Collects exceptions of tasks that nobody looked at, from its creation on.</summary>
internal sealed class UnobservedExceptions : IDisposable
{
    private readonly ConcurrentQueue<Exception> _seen = new();

    public UnobservedExceptions()
    {
        Collect(); // what earlier tests left is not ours
        TaskScheduler.UnobservedTaskException += OnUnobserved;
    }

    public void AssertNone()
    {
        Collect();
        Assert.Empty(_seen);
    }

    public void Dispose() => TaskScheduler.UnobservedTaskException -= OnUnobserved;

    private void OnUnobserved(object? sender, UnobservedTaskExceptionEventArgs e) => _seen.Enqueue(e.Exception);

    private static void Collect()
    {
        for (var i = 0; i < 2; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
    }
}
