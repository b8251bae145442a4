using LightTts.Extensions;
using LightTts.Tests.Extensions.Fakes;
using LightTts.Tests.Pipeline.Fakes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Time.Testing;

namespace LightTts.Tests.Extensions;

public class HostingTests
{
    [Fact]
    public async Task Blocking_starts_the_host_with_a_warm_pipeline()
    {
        var loader = new FakeLoader(held: true);
        using var host = Hosts.Create(loader, services => services.AddLightTts());
        var start = host.StartAsync();
        await loader.Entered;
        Assert.False(start.IsCompleted);
        loader.Release();
        await start;
        var state = host.Services.GetRequiredService<ITtsPipelineHost>();
        Assert.Equal(TtsPipelineState.Ready, state.State);
        Assert.Equal("lighttts-tiny-en", state.Model!.Name);
        Assert.Equal("Hello.", loader.Pipeline.Requests.Single().Text);
        await host.StopAsync();
        Assert.Equal(TtsPipelineState.Stopped, state.State);
    }

    [Fact]
    public async Task Blocking_stops_the_start_where_the_model_cannot_be_loaded()
    {
        var loader = new FakeLoader { Error = new TtsModelLoadException("llm.pt is missing") };
        using var host = Hosts.Create(loader, services => services.AddLightTts());
        var error = await Assert.ThrowsAsync<TtsModelLoadException>(() => host.StartAsync());
        Assert.Equal("llm.pt is missing", error.Message);
    }

    [Fact]
    public async Task Background_serves_requests_that_came_before_the_model()
    {
        var loader = new FakeLoader(held: true);
        using var host = Hosts.Create(loader, services => services.AddLightTts(options => options.WarmUp = WarmUpMode.Background));
        await host.StartAsync();
        var pipeline = host.Services.GetRequiredService<ITtsPipeline>();
        var speech = pipeline.SpeakAsync("one two three.");
        var voice = pipeline.Timbres.AddAsync(new AudioClip(new float[16000], 16000), null, "mine");
        await loader.Entered;
        Assert.False(speech.IsCompleted);
        Assert.Contains("not loaded yet", Assert.Throws<InvalidOperationException>(() => pipeline.Model).Message);
        Assert.Equal(new TtsLoadProgress("configuration", 0.25), host.Services.GetRequiredService<ITtsPipelineHost>().Progress);
        loader.Release();
        Assert.NotEmpty((await speech).Samples.ToArray());
        Assert.Equal("mine", (await voice).Name);
        Assert.NotNull(await pipeline.Timbres.GetAsync("mine"));
        await host.StopAsync();
    }

    [Fact]
    public async Task Background_starts_although_the_model_cannot_be_loaded_and_says_why_to_every_request()
    {
        var loader = new FakeLoader { Error = new TtsBackendException("run: dotnet add package libtorch-cpu-linux-x64") };
        using var host = Hosts.Create(loader, services => services.AddLightTts(options => options.WarmUp = WarmUpMode.Background));
        await host.StartAsync();
        var pipeline = host.Services.GetRequiredService<ITtsPipeline>();
        var error = await Assert.ThrowsAsync<TtsBackendException>(() => pipeline.SpeakAsync("hello."));
        Assert.Contains("dotnet add package", error.Message);
        Assert.Equal(TtsPipelineState.Faulted, host.Services.GetRequiredService<ITtsPipelineHost>().State);
        await host.StopAsync();
    }

    [Fact]
    public async Task Lazy_loads_with_the_first_request_once()
    {
        var loader = new FakeLoader();
        using var host = Hosts.Create(loader, services => services.AddLightTts(options => options.WarmUp = WarmUpMode.Lazy));
        await host.StartAsync();
        Assert.Equal(TtsPipelineState.NotLoaded, host.Services.GetRequiredService<ITtsPipelineHost>().State);
        var pipeline = host.Services.GetRequiredService<ITtsPipeline>();
        await Task.WhenAll(Enumerable.Range(0, 8).Select(i => pipeline.SpeakAsync($"one two {i}.")));
        Assert.Equal(8, loader.Pipeline.Requests.Count);
        await host.StopAsync();
    }

    [Fact]
    public async Task Requests_that_wait_for_the_model_are_counted_and_their_deadlines_run()
    {
        var time = new FakeTimeProvider();
        var loader = new FakeLoader(held: true);
        using var host = Hosts.Create(loader, services => services.AddLightTts(options =>
        {
            options.WarmUp = WarmUpMode.Background;
            options.MaxActiveRequests = 2;
        }), time);
        await host.StartAsync();
        var pipeline = host.Services.GetRequiredService<ITtsPipeline>();
        using var leaving = new CancellationTokenSource();
        var impatient = pipeline.SpeakAsync(new SynthesisRequest { Text = "one.", FirstAudioTimeout = TimeSpan.FromSeconds(2),
            Timeout = TimeSpan.FromSeconds(9) });
        var left = pipeline.SpeakAsync("two.", cancellationToken: leaving.Token);
        await Assert.ThrowsAsync<TtsQueueFullException>(() => pipeline.SpeakAsync("three."));
        time.Advance(TimeSpan.FromSeconds(3));
        Assert.Contains("FirstAudioTimeout of 2000 ms", (await Assert.ThrowsAsync<TtsTimeoutException>(() => impatient)).Message);
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => left);

        var patient = pipeline.SpeakAsync(new SynthesisRequest { Text = "four.", Timeout = TimeSpan.FromSeconds(10) });
        time.Advance(TimeSpan.FromSeconds(4));
        loader.Release();
        Assert.NotEmpty((await patient).Samples.ToArray());
        Assert.Equal(TimeSpan.FromSeconds(6), loader.Pipeline.Requests.Single(request => request.Text == "four.").Timeout);
        await host.StopAsync();
    }

    [Fact]
    public async Task Stopping_gives_up_a_load_and_tells_those_who_wait()
    {
        var loader = new FakeLoader(held: true);
        using var host = Hosts.Create(loader, services => services.AddLightTts(options => options.WarmUp = WarmUpMode.Background));
        await host.StartAsync();
        var pipeline = host.Services.GetRequiredService<ITtsPipeline>();
        var waiting = pipeline.SpeakAsync("hello.");
        await loader.Entered;
        await host.StopAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => waiting);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => pipeline.SpeakAsync("hello."));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Without_a_host_the_first_request_loads_and_disposal_frees(bool asynchronous)
    {
        var loader = new FakeLoader();
        var services = new ServiceCollection().AddSingleton<LightTts.Extensions.Hosting.IPipelineLoader>(loader).AddLightTts().BuildServiceProvider();
        var pipeline = services.GetRequiredService<ITtsPipeline>();
        Assert.NotEmpty((await pipeline.SpeakAsync("hello there.")).Samples.ToArray());
        await pipeline.DisposeAsync();
        await pipeline.DisposeAsync();
        if (asynchronous)
            await services.DisposeAsync();
        else
            services.Dispose();
        Assert.Equal(1, loader.Pipeline.Disposals);
    }

    [Fact]
    public async Task Two_keyed_models_speak_at_once()
    {
        var second = Directory.CreateTempSubdirectory("lighttts-second").FullName;
        var loader = new FakeLoader();
        using var host = Hosts.Create(loader, services => services
            .AddKeyedLightTts("narrator", options => options.MaxActiveRequests = 7)
            .AddKeyedLightTts("guide", Hosts.Section(("ModelPath", second), ("MaxActiveRequests", "8"))));
        await host.StartAsync();
        var narrator = host.Services.GetRequiredKeyedService<ITtsPipeline>("narrator");
        var guide = host.Services.GetRequiredKeyedService<ITtsPipeline>("guide");
        Assert.Equal(["lighttts-tiny-en", Path.GetFileName(second)], [narrator.Model.Name, guide.Model.Name]);
        Assert.Equal([7, 8], loader.Options.Select(options => options.MaxActiveRequests).Order());

        // Each is held in mid-stream until the other has come as far: neither waits for the other's end.
        var brakes = loader.Pipelines.Select(pipeline => new Brake(pipeline.Engine.World, "decode", 2)).ToArray();
        var speeches = new[] { narrator, guide }.Select(pipeline =>
            FakeEngine.Collect(pipeline.SynthesizeAsync(new SynthesisRequest { Text = Hosts.Story }))).ToArray();
        await Task.WhenAll(brakes.Select(brake => brake.Held));
        foreach (var brake in brakes)
            brake.Release();
        Assert.All(await Task.WhenAll(speeches), chunks => Assert.True(chunks[^1].IsLast));
        await host.StopAsync();
        Directory.Delete(second);
    }

    [Fact]
    public void Adding_twice_adds_options_not_pipelines()
    {
        var services = new ServiceCollection().AddLightTts(options => options.MaxTimbres = 5).AddLightTts(options => options.MaxTextLength = 6);
        Assert.Single(services, service => service.ServiceType == typeof(ITtsPipeline));
        Assert.Single(services, service => service.ServiceType == typeof(IHostedService)
            && service.ImplementationType?.Name == "PipelineHostedService");
    }
}
