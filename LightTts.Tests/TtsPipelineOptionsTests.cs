namespace LightTts.Tests;

public class TtsPipelineOptionsTests
{
    public static TheoryData<string, Action<TtsPipelineOptions>, string> Wrong => new()
    {
        { "RequestTimeout", options => options.RequestTimeout = TimeSpan.FromDays(50), "at most 40 days" },
        { "RequestTimeout", options => options.RequestTimeout = TimeSpan.Zero, "above zero" },
        { "TextIdleTimeout", options => options.TextIdleTimeout = TimeSpan.FromDays(50), "Timeout.InfiniteTimeSpan (-00:00:00.001) for no limit" },
        { "Device", options => options.Device = (ComputeDevice)9, "Use Auto, Cpu or Cuda" },
        { "Precision", options => options.Precision = (ComputePrecision)9, "Use Auto, Float32, BFloat16 or Int8" },
        { "FlowPrecision", options => options.FlowPrecision = (ComputePrecision)9, "Use Auto, Float32, BFloat16 or Int8" },
        { "Decoder", options => options.Decoder = (DecoderEngine)9, "Use Auto, Torch or OnnxRuntime" },
        { "OnnxRuntime.Providers", options => options.OnnxRuntime.Providers = [], "at least one of TensorRt, Cuda and Cpu" },
        { "OnnxRuntime.OptimalFrames", options => options.OnnxRuntime.MaxFrames = 400, "MinFrames to MaxFrames" },
        { "Threads", options => options.Threads = 0, "leave it out for all cores" },
        { "MaxLanguageRows", options => options.MaxLanguageRows = 257, "Set 1 to 256" },
        { "KvCacheTokens", options => options.KvCacheTokens = 1000, "at least 1024" },
    };

    [Theory]
    [MemberData(nameof(Wrong), DisableDiscoveryEnumeration = true)]
    public void A_value_out_of_its_range_is_refused_with_the_cure(string option, Action<TtsPipelineOptions> set, string cure)
    {
        var options = new TtsPipelineOptions();
        set(options);
        var error = Assert.Throws<ArgumentOutOfRangeException>(options.Validated);
        Assert.Equal(option, error.ParamName);
        Assert.StartsWith($"TtsPipelineOptions.{option} is out of its range.", error.Message);
        Assert.Contains(cure, error.Message);
    }

    [Fact]
    public void Limits_themselves_are_allowed()
    {
        var options = new TtsPipelineOptions { RequestTimeout = TimeSpan.FromDays(40), TextIdleTimeout = Timeout.InfiniteTimeSpan, Threads = 1,
            MaxLanguageRows = 256 };
        Assert.Equal(TimeSpan.FromDays(40), options.Validated().RequestTimeout);
    }
}
