namespace LightTts.Tests.Support;

/// <summary>The embedded voice, loaded once for all tests that only speak with it;
/// float32 unless LIGHTTTS_TEST_PRECISION says otherwise, no voices shared with other
/// processes.</summary>
internal static class SharedPipeline
{
    private static readonly Lazy<Task<TtsPipeline>> Loaded = new(() => TtsPipeline.LoadAsync(Options()));

    public static Task<TtsPipeline> GetAsync() => Loaded.Value;

    public static TtsPipelineOptions Options() => new()
    {
        ModelPath = Repo.TinyEn,
        NativeLibraryPath = TestDevice.Natives,
        Device = ComputeDevice.Cpu,
        Precision = Enum.Parse<ComputePrecision>(Environment.GetEnvironmentVariable("LIGHTTTS_TEST_PRECISION") ?? nameof(ComputePrecision.Float32)),
        MaxActiveRequests = 512,
        Timbres = new TimbreStoreOptions { Shared = false },
    };
}
