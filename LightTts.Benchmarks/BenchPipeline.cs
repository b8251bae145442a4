using LightTts.Benchmarks.Paced;

namespace LightTts.Benchmarks;

/// <summary>Loads the pipeline that a command measures.</summary>
internal static class BenchPipeline
{
    /// <param name="options">What and where.</param>
    /// <param name="speechTokens">How many speech tokens every sentence gets; null: as many as the model draws.</param>
    /// <param name="cancellation">Gives up.</param>
    public static Task<TtsPipeline> LoadAsync(TtsPipelineOptions options, int? speechTokens, CancellationToken cancellation)
    {
        options.Timbres = new TimbreStoreOptions { Shared = false };
        return speechTokens is { } tokens
            ? Task.Run(() => TtsPipeline.Load(options, null, parts => FixedLengthModel.Wrap(parts, tokens), cancellation), cancellation)
            : TtsPipeline.LoadAsync(options, null, cancellation);
    }
}
