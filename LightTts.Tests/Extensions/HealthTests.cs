using LightTts.Extensions;
using LightTts.Tests.Extensions.Fakes;
using LightTts.Tests.Pipeline.Fakes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Time.Testing;

namespace LightTts.Tests.Extensions;

public class HealthTests
{
    [Fact]
    public async Task Not_ready_while_loading_then_ready_then_not_ready_while_stopping()
    {
        var loader = new FakeLoader(held: true);
        using var host = Hosts.Create(loader, services => services.AddLightTts(options => options.WarmUp = WarmUpMode.Background));
        await host.StartAsync();
        await loader.Entered;
        var loading = await Ready(host);
        Assert.Equal(HealthStatus.Unhealthy, loading.Status);
        Assert.StartsWith("lighttts-tiny-en is loading: configuration done, 25", loading.Description);
        Assert.Equal(HealthStatus.Healthy, (await Live(host)).Status);
        loader.Release();
        await host.Services.GetRequiredService<ITtsPipelineHost>().WaitUntilReadyAsync();
        var ready = await Ready(host);
        Assert.Equal(HealthStatus.Healthy, ready.Status);
        Assert.Equal("0 of 64 requests.", ready.Description);
        Assert.Equal("lighttts-tiny-en", ready.Data["model"]);
        await host.StopAsync();
        Assert.Equal(HealthStatus.Unhealthy, (await Ready(host)).Status);
    }

    [Fact]
    public async Task Not_ready_with_the_reason_where_the_model_cannot_be_loaded()
    {
        var cause = new TtsModelLoadException("llm.pt is damaged; download it again");
        using var host = Hosts.Create(new FakeLoader { Error = cause }, services =>
            services.AddLightTts(options => options.WarmUp = WarmUpMode.Background));
        await host.StartAsync();
        await Assert.ThrowsAsync<TtsModelLoadException>(() => host.Services.GetRequiredService<ITtsPipelineHost>().WaitUntilReadyAsync());
        var entry = await Ready(host);
        Assert.Equal(HealthStatus.Unhealthy, entry.Status);
        Assert.Equal("lighttts-tiny-en could not be loaded: llm.pt is damaged; download it again", entry.Description);
        Assert.Same(cause, entry.Exception);
        await host.StopAsync();
    }

    [Theory]
    [InlineData(8, HealthStatus.Healthy)]
    [InlineData(9, HealthStatus.Degraded)]
    public async Task Degraded_over_80_percent_of_the_queue(int active, HealthStatus expected)
    {
        var loader = new FakeLoader();
        using var host = Hosts.Create(loader, services => services.AddLightTts(options => options.MaxActiveRequests = 10));
        await host.StartAsync();
        loader.Pipeline.Disguise = status => status with { ActiveRequests = active };
        Assert.Equal(expected, (await Ready(host)).Status);
        Assert.Equal(HealthStatus.Healthy, (await Live(host)).Status);
        await host.StopAsync();
    }

    [Fact]
    public async Task A_stage_that_hangs_is_seen_within_five_seconds_and_one_that_goes_on_is_forgiven()
    {
        var time = new FakeTimeProvider();
        var loader = new FakeLoader();
        using var host = Hosts.Create(loader, services => services.AddLightTts(), time);
        await host.StartAsync();
        using var brake = new Brake(loader.Pipeline.Engine.World, "step", 2);
        var stream = FakeEngine.Collect(host.Services.GetRequiredService<ITtsPipeline>().SynthesizeAsync(new SynthesisRequest { Text =
            Hosts.Story }));
        await brake.Held;
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(HealthStatus.Healthy, (await Live(host)).Status);
        time.Advance(TimeSpan.FromSeconds(4));
        var live = await Live(host);
        Assert.Equal(HealthStatus.Unhealthy, live.Status);
        Assert.Contains("language stage has been in one step for 5.0 s", live.Description);
        Assert.Equal(HealthStatus.Unhealthy, (await Ready(host)).Status);
        brake.Release();
        await stream;
        Assert.Equal(HealthStatus.Healthy, (await Live(host)).Status);
        await host.StopAsync();
    }

    [Fact]
    public async Task A_stage_that_died_is_seen()
    {
        var loader = new FakeLoader();
        using var host = Hosts.Create(loader, services => services.AddKeyedLightTts("guide"));
        await host.StartAsync();
        loader.Pipeline.Disguise = status =>
            status with { Stages = [.. status.Stages.Select(stage => stage with { IsAlive = stage.Stage != PipelineStage.Decode })] };
        Assert.Contains("decode stage's thread has ended", (await Live(host, ":guide")).Description);
        Assert.Equal(HealthStatus.Unhealthy, (await Ready(host, ":guide")).Status);
        await host.StopAsync();
    }

    [Fact]
    public async Task A_device_of_several_that_is_lost_degrades_and_the_last_one_fails()
    {
        var loader = new FakeLoader();
        using var host = Hosts.Create(loader, services => services.AddKeyedLightTts("guide"));
        await host.StartAsync();
        var lost = new HashSet<string> { "cuda:1" };
        loader.Pipeline.Disguise = status => status with
        {
            Stages = [.. status.Stages.SelectMany(_ => (string[])["cuda:0", "cuda:1"], (stage, device) =>
                stage with { Device = device, IsAlive = !lost.Contains(device) })],
        };
        Assert.Equal(HealthStatus.Healthy, (await Live(host, ":guide")).Status);
        var ready = await Ready(host, ":guide");
        Assert.Equal(HealthStatus.Degraded, ready.Status);
        Assert.Contains("1 of 2 devices", ready.Description);
        Assert.Contains("cuda:1", ready.Description);
        lost.Add("cuda:0");
        Assert.Equal(HealthStatus.Unhealthy, (await Live(host, ":guide")).Status);
        Assert.Equal(HealthStatus.Unhealthy, (await Ready(host, ":guide")).Status);
        await host.StopAsync();
    }

    private static Task<HealthReportEntry> Ready(IHost host, string suffix = "") => Check(host, "ready", "lighttts" + suffix);

    private static Task<HealthReportEntry> Live(IHost host, string suffix = "") => Check(host, "live", "lighttts-live" + suffix);

    private static async Task<HealthReportEntry> Check(IHost host, string tag, string name)
    {
        var report = await host.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync(registration => registration.Tags.Contains(tag));
        return Assert.Single(report.Entries, entry => entry.Key == name).Value;
    }
}
