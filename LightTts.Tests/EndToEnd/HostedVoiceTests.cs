using LightTts.Extensions;
using LightTts.Tests.Pipeline.Fakes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;

namespace LightTts.Tests.EndToEnd;

/// <summary>The embedded voice in a host, with nothing faked.</summary>
[Trait("Category", "EndToEnd")]
public class HostedVoiceTests
{
    [Fact]
    public async Task Two_keyed_models_load_in_the_background_and_speak_at_once()
    {
        var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        foreach (var key in new[] { "narrator", "guide" })
        {
            builder.Services.AddKeyedLightTts(key, options =>
            {
                options.WarmUp = WarmUpMode.Background;
                options.ShareTimbres = false;
                options.Threads = 1;
            });
        }
        using var host = builder.Build();
        await host.StartAsync();
        string[] voices = ["slt", "rms"];
        var pipelines = new[] { "narrator", "guide" }.Select(key => host.Services.GetRequiredKeyedService<ITtsPipeline>(key)).ToArray();
        var speeches = await Task.WhenAll(pipelines.Select((pipeline, i) =>
            FakeEngine.Collect(pipeline.SynthesizeAsync(new SynthesisRequest { Text = "Two voices speak at once.", Voice = voices[i], Seed = 1 }))));
        Assert.All(speeches, chunks =>
        {
            Assert.True(chunks[^1].IsLast);
            Assert.InRange(chunks.Sum(chunk => chunk.Duration.TotalSeconds), 0.5, 30);
            Assert.InRange(chunks.Max(chunk => chunk.Samples.ToArray().Max(MathF.Abs)), 0.05f, 1f);
        });
        var health = await host.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync();
        Assert.Equal(["lighttts-live:guide", "lighttts-live:narrator", "lighttts:guide", "lighttts:narrator"],
            health.Entries.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(HealthStatus.Healthy, health.Status);
        await host.StopAsync();
    }
}
