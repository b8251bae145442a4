using System.Collections.Concurrent;
using LightTts.Models;

namespace LightTts.Benchmarks.Stages;

/// <summary>A thread that owns a stage's model as the pipeline's does: its stream, its warm-up, its end.</summary>
internal sealed class StageThread : IDisposable
{
    private readonly BlockingCollection<Action> _work = [];
    private readonly Thread _thread;

    public StageThread(IStageModel model, string name)
    {
        _thread = new Thread(() =>
        {
            using (model.EnterThread())
            {
                foreach (var work in _work.GetConsumingEnumerable())
                    work();
                model.Dispose();
            }
        })
        { Name = name, IsBackground = true };
        _thread.Start();
    }

    /// <summary>Does work on the thread.</summary>
    public Task<T> RunAsync<T>(Func<T> work)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        _work.Add(() =>
        {
            try
            {
                done.SetResult(work());
            }
            catch (Exception e)
            {
                done.SetException(e);
            }
        });
        return done.Task;
    }

    public void Dispose()
    {
        _work.CompleteAdding();
        _thread.Join();
        _work.Dispose();
    }
}
