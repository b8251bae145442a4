using LightTts.Extensions.Hosting;
using LightTts.Samples.Server;
using LightTts.Samples.Server.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

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
    [InlineData("--Server:RequestTimeout=5")] // days
    [InlineData("--Server:DrainTimeout=-00:00:01")]
    [InlineData("--Server:CorsOrigins:0=example.com")]
    [InlineData("--Server:CorsOrigins:0=https://example.com/")]
    [InlineData("--port", "8090", "--admin_port", "8090")]
    [InlineData("--Server:Port")]
    [InlineData("hello")]
    [InlineData("--urls", "http://*:80")]
    public void What_is_out_of_range_is_said_at_the_start(params string[] args) =>
        Assert.ThrowsAny<ArgumentException>(() => ServerApp.Create(args));

    [Theory]
    [InlineData("'--prot' is not an option. Did you mean --port?", "--prot", "80")]
    [InlineData("'--modeldir=/m' is not an option. Did you mean --model_dir?", "--modeldir=/m")]
    [InlineData("'Server:Prot' is not an option. Did you mean Port?", "--Server:Prot=80")]
    [InlineData("'Server:ApiKeys:0:RequestPerMinute' is not an option. Did you mean RequestsPerMinute?", "--Server:ApiKeys:0:RequestPerMinute", "9")]
    public void A_name_that_is_misspelt_is_no_silent_default(string message, params string[] args) =>
        Assert.StartsWith(message, Assert.ThrowsAny<ArgumentException>(() => ServerApp.Create(args)).Message, StringComparison.Ordinal);

    [Fact]
    public void Every_property_is_an_option()
    {
        foreach (var property in typeof(ServerOptions).GetProperties().Where(property => property.CanWrite))
            Assert.Contains($" {property.Name}", Assert.ThrowsAny<ArgumentException>(() => ServerApp.Create(["--Server:Zzzzzzzz=1"])).Message,
                StringComparison.Ordinal);
        Assert.Equal(typeof(ApiKeyOptions).GetProperties().Where(property => property.CanWrite).Select(property => property.Name),
            ApiKeyOptions.Names);
    }

    [Fact]
    public void Help_names_every_option_that_means_something()
    {
        Assert.All(SeedArguments.Names, name => Assert.Contains($"  {name} ", Help.Text, StringComparison.Ordinal));
        Assert.True(Help.IsAskedFor(["--port", "80", "--help"]));
        Assert.False(Help.IsAskedFor(["--port", "80"]));
    }

    [Fact]
    public async Task A_port_that_is_taken_is_told_with_its_cure()
    {
        await using var server = await TestServer.StartAsync(new StubPipeline());
        await using var second = Unstarted("--port", $"{server.Port}", "--host", "127.0.0.1");
        var error = await Assert.ThrowsAnyAsync<Exception>(() => second.StartAsync());
        Assert.True(StartFault.IsKnown(error));
        Assert.Contains("name another port (--port", StartFault.Explain(error), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_address_that_the_machine_does_not_have_is_told_with_its_cure()
    {
        await using var server = Unstarted("--port", "0", "--host", "192.0.2.1"); // kept free for documentation
        var error = await Assert.ThrowsAnyAsync<Exception>(() => server.StartAsync());
        Assert.True(StartFault.IsKnown(error));
        Assert.EndsWith("or one that it has (--host).", StartFault.Explain(error), StringComparison.Ordinal);
    }

    private static WebApplication Unstarted(params string[] args) =>
        ServerApp.Create(args, builder => builder.Services.AddSingleton<IPipelineLoader>(new StubPipeline()));
}
