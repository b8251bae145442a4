namespace LightTts.Tests.Support;

/// <summary>The embedded voice, loaded once for all tests that only speak with it;
/// float32 unless LIGHTTTS_TEST_PRECISION, LIGHTTTS_TEST_LANGUAGE_PRECISION or LIGHTTTS_TEST_FLOW_PRECISION say otherwise, no voices
/// shared with other processes.</summary>
internal static class SharedPipeline
{
    private static readonly Lazy<Task<TtsPipeline>> Loaded = new(() => TtsPipeline.LoadAsync(Options()));

    public static Task<TtsPipeline> GetAsync() => Loaded.Value;

    public static TtsPipelineOptions Options() => new()
    {
        ModelPath = Repo.TinyEn,
        NativeLibraryPath = TestDevice.Natives,
        Device = ComputeDevice.Cpu,
        Precision = Precision("LIGHTTTS_TEST_PRECISION") ?? ComputePrecision.Float32,
        LanguagePrecision = Precision("LIGHTTTS_TEST_LANGUAGE_PRECISION"),
        FlowPrecision = Precision("LIGHTTTS_TEST_FLOW_PRECISION"),
        MaxActiveRequests = 512,
        Timbres = new TimbreStoreOptions { Shared = false },
    };

    private static ComputePrecision? Precision(string variable) =>
        Environment.GetEnvironmentVariable(variable) is { Length: > 0 } name ? Enum.Parse<ComputePrecision>(name) : null;
}
