using LightTts.Extensions.Hosting;

namespace LightTts.Tests.Extensions.Fakes;

/// <summary>Loads fake pipelines, when a test says so.</summary>
internal sealed class FakeLoader : IPipelineLoader
{
    private readonly TaskCompletionSource _gate = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _entered = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <param name="held">Whether loading waits for <see cref="Release"/>.</param>
    public FakeLoader(bool held = false)
    {
        if (!held)
            _gate.SetResult();
    }

    public List<FakePipeline> Pipelines { get; } = [];

    public List<TtsPipelineOptions> Options { get; } = [];

    public Exception? Error { get; init; }

    public Task Entered => _entered.Task;

    public FakePipeline Pipeline => Pipelines.Single();

    public void Release() => _gate.TrySetResult();

    public async Task<ITtsPipeline> LoadAsync(TtsPipelineOptions options, IProgress<TtsLoadProgress> progress, CancellationToken cancellationToken)
    {
        progress.Report(new TtsLoadProgress("configuration", 0.25));
        _entered.TrySetResult();
        await _gate.Task.WaitAsync(cancellationToken);
        if (Error is not null)
            throw Error;
        var pipeline = new FakePipeline(options, Path.GetFileName(options.ModelPath ?? TtsPipeline.DefaultModelPath));
        lock (Pipelines)
        {
            Options.Add(options);
            Pipelines.Add(pipeline);
        }
        return pipeline;
    }
}
