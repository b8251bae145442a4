namespace LightTts.Tests;

public class TtsPipelineOptionsTests
{
    public static TheoryData<string, Action<TtsPipelineOptions>, string> Wrong => new()
    {
        { "RequestTimeout", options => options.RequestTimeout = TimeSpan.FromDays(50), "at most 40 days" },
        { "RequestTimeout", options => options.RequestTimeout = TimeSpan.Zero, "above zero" },
        { "TextIdleTimeout", options => options.TextIdleTimeout = TimeSpan.FromDays(50), "Timeout.InfiniteTimeSpan (-00:00:00.001) for no limit" },
        { "Device", options => options.Device = (ComputeDevice)9, "Use Auto, Cpu or Cuda" },
        { "Precision", options => options.Precision = (ComputePrecision)9, "Use Auto, Float32, BFloat16, Int8 or Float16" },
        { "FlowPrecision", options => options.FlowPrecision = (ComputePrecision)9, "Use Auto, Float32, BFloat16, Int8 or Float16" },
        { "Decoder", options => options.Decoder = (DecoderEngine)9, "Use Auto, Torch or OnnxRuntime" },
        { "OnnxRuntime.Providers", options => options.OnnxRuntime.Providers = [], "at least one of TensorRt, Cuda and Cpu" },
        { "OnnxRuntime.OptimalFrames", options => options.OnnxRuntime.MaxFrames = 400, "MinFrames to MaxFrames" },
        { "Devices", options => options.Devices = [], "Name at least one device" },
        { "Devices", options => options.Devices = [TtsDevice.Cuda(0), TtsDevice.Cuda(0)], "Name each CUDA device once" },
        { "Devices", options => options.Devices = [TtsDevice.Cpu, new(ComputeDevice.Auto)], "Cpu or Cuda" },
        { "Devices", options => options.Devices = [TtsDevice.Cuda(-1)], "index from 0" },
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

    [Theory]
    [InlineData("cpu", "cpu")]
    [InlineData(" CPU ", "cpu")]
    [InlineData("cuda", "cuda:0")]
    [InlineData("Cuda:12", "cuda:12")]
    [InlineData("cpu:1", null)]
    [InlineData("cuda:", null)]
    [InlineData("cuda:-1", null)]
    [InlineData("cuda:1:2", null)]
    [InlineData("gpu", null)]
    [InlineData("", null)]
    [InlineData(null, null)]
    public void Devices_are_read_as_libtorch_writes_them(string? text, string? device)
    {
        Assert.Equal(device is not null, TtsDevice.TryParse(text, null, out var found));
        if (device is not null)
            Assert.Equal((device, found), (found.ToString(), TtsDevice.Parse(device)));
        else if (text is not null)
            Assert.Contains("cuda:1", Assert.Throws<FormatException>(() => TtsDevice.Parse(text)).Message);
    }

    [Fact]
    public void Limits_themselves_are_allowed()
    {
        var options = new TtsPipelineOptions { RequestTimeout = TimeSpan.FromDays(40), TextIdleTimeout = Timeout.InfiniteTimeSpan, Threads = 1,
            MaxLanguageRows = 256 };
        Assert.Equal(TimeSpan.FromDays(40), options.Validated().RequestTimeout);
    }
}
