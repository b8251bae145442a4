namespace LightTts.Extensions.Hosting;

/// <summary>Loads a model directory.</summary>
internal sealed class TtsPipelineLoader : IPipelineLoader
{
    public async Task<ITtsPipeline> LoadAsync(TtsPipelineOptions options, IProgress<TtsLoadProgress> progress, CancellationToken cancellationToken) =>
        await TtsPipeline.LoadAsync(options, progress, cancellationToken).ConfigureAwait(false);
}
