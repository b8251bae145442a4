namespace LightTts.Extensions.Hosting;

/// <summary>Where a host gets its pipeline from.</summary>
internal interface IPipelineLoader
{
    Task<LoadedPipeline> LoadAsync(TtsPipelineOptions options, IProgress<TtsLoadProgress> progress, CancellationToken cancellationToken);
}

/// <summary>A pipeline, and what of it is not part of <see cref="ITtsPipeline"/>.</summary>
internal sealed record LoadedPipeline(ITtsPipeline Pipeline, Func<TtsPipelineStatus> Status,
    Func<TimeSpan, CancellationToken, Task<bool>> DrainAsync);

internal sealed class TtsPipelineLoader : IPipelineLoader
{
    public async Task<LoadedPipeline> LoadAsync(TtsPipelineOptions options, IProgress<TtsLoadProgress> progress, CancellationToken cancellationToken)
    {
        var pipeline = await TtsPipeline.LoadAsync(options, progress, cancellationToken).ConfigureAwait(false);
        return new LoadedPipeline(pipeline, () => pipeline.Status, pipeline.DrainAsync);
    }
}
