using LightTts.Tests.Pipeline.Fakes;

namespace LightTts.Tests.Extensions.Fakes;

/// <summary>Holds a stage in its nth call of a kind, so that a request is in mid-stream for as long as a test wants.</summary>
internal sealed class Brake : IDisposable
{
    private readonly ManualResetEventSlim _open = new();
    private readonly TaskCompletionSource _held = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _calls;

    public Brake(FakeWorld world, string call, int nth)
    {
        world.OnCall = name =>
        {
            if (name != call || Interlocked.Increment(ref _calls) < nth)
                return;
            _held.TrySetResult();
            _open.Wait();
        };
    }

    /// <summary>Done when the stage stands.</summary>
    public Task Held => _held.Task;

    public void Release() => _open.Set();

    public void Dispose() => Release();
}
