namespace LightTts.Extensions.Hosting;

/// <summary>Where a host gets its pipeline from.</summary>
internal interface IPipelineLoader
{
    Task<ITtsPipeline> LoadAsync(TtsPipelineOptions options, IProgress<TtsLoadProgress> progress, CancellationToken cancellationToken);
}
