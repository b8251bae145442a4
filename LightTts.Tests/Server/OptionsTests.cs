using LightTts.Samples.Server;
using LightTts.Samples.Server.Hosting;

namespace LightTts.Tests.Server;

/// <summary>The seed system's command line, and options that are out of range.</summary>
public class OptionsTests
{
    [Fact]
    public void The_seeds_options_become_settings()
    {
        Dictionary<string, string?> settings = [];
        List<(string Option, string Reason)> ignored = [];
        var rest = SeedArguments.Parse(["--model_dir", "/m", "--host", "0.0.0.0", "--port=8090", "--data_type", "float16", "--load_trt", "False",
            "--disable_cudagraph",
            "--max_total_token_num", "65536", "--running_max_req_size", "30", "--cache_capacity", "200", "--graph_max_batch_size", "16", "--mode",
            "triton_flashdecoding",
            "--Server:MaxTextLength=5"], settings, ignored);
        Assert.Equal(["--Server:MaxTextLength=5"], rest);
        Assert.Equal(["--load_trt", "--disable_cudagraph", "--mode"], ignored.Select(option => option.Option));
        Assert.Equal(new Dictionary<string, string?>
        {
            ["LightTts:ModelPath"] = "/m", ["Server:Host"] = "0.0.0.0", ["Server:Port"] = "8090", ["LightTts:Precision"] = "BFloat16",
                ["LightTts:KvCacheTokens"] = "65536",
            ["Server:MaxConcurrentRequests"] = "30", ["LightTts:MaxTimbres"] = "200", ["LightTts:MaxLanguageRows"] = "16",
        }, settings);
    }

    [Theory]
    [InlineData("--port")]
    [InlineData("--data_type", "int3")]
    [InlineData("--port", "99999")]
    [InlineData("--running_max_req_size", "0")]
    [InlineData("--Server:PingInterval=00:00:00")]
    [InlineData("--Server:KeepAliveTimeout=-00:00:01")]
    [InlineData("--Server:ApiKeys:0:Name=Bad Name", "--Server:ApiKeys:0:Key=1111111111111111")]
    [InlineData("--Server:ApiKeys:0:Name=one", "--Server:ApiKeys:0:Key=short")]
    public void What_is_out_of_range_is_said_at_the_start(params string[] args) =>
        Assert.ThrowsAny<ArgumentException>(() => ServerApp.Create(args));
}
