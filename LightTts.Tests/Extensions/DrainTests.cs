using LightTts.Extensions;
using LightTts.Tests.Extensions.Fakes;
using LightTts.Tests.Pipeline.Fakes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;
using Microsoft.Extensions.Time.Testing;

namespace LightTts.Tests.Extensions;

public class DrainTests
{
    [Fact]
    public async Task A_stop_in_mid_stream_lets_the_stream_end()
    {
        var loader = new FakeLoader();
        using var host = Hosts.Create(loader, services => services.AddLightTts());
        await host.StartAsync();
        var pipeline = host.Services.GetRequiredService<ITtsPipeline>();
        using var brake = new Brake(loader.Pipeline.Engine.World, "decode", 2);
        var stream = FakeEngine.Collect(pipeline.SynthesizeAsync(new SynthesisRequest { Text = Hosts.Story }));
        await brake.Held;
        var run = host.WaitForShutdownAsync();
        // What SIGTERM does in a console host.
        host.Services.GetRequiredService<IHostApplicationLifetime>().StopApplication();
        await Until(() => host.Services.GetRequiredService<ITtsPipelineHost>().State == TtsPipelineState.Stopping);
        Assert.False(run.IsCompleted);
        brake.Release();
        Assert.True((await stream)[^1].IsLast);
        await run;
        Assert.Equal(1, loader.Pipeline.Disposals);
        await Assert.ThrowsAsync<ObjectDisposedException>(() =>
            FakeEngine.Collect(pipeline.SynthesizeAsync(new SynthesisRequest { Text = "late." })));
    }

    [Fact]
    public async Task A_stream_that_does_not_end_in_time_is_ended()
    {
        var time = new FakeTimeProvider();
        var loader = new FakeLoader();
        using var host = Hosts.Create(loader, services =>
            services.AddLightTts(options => options.DrainTimeout = TimeSpan.FromSeconds(5)).AddLogging(logging => logging.AddFakeLogging()), time);
        await host.StartAsync();
        using var brake = new Brake(loader.Pipeline.Engine.World, "decode", 2);
        var stream = FakeEngine.Collect(host.Services.GetRequiredService<ITtsPipeline>().SynthesizeAsync(new SynthesisRequest { Text =
            Hosts.Story }));
        await brake.Held;
        var stop = host.StopAsync();
        time.Advance(TimeSpan.FromSeconds(4.9));
        Assert.False(stream.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(0.2));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => stream);
        brake.Release();
        await stop;
        Assert.Equal(1, loader.Pipeline.Disposals);
        Assert.Equal([2005, 2007], host.Services.GetFakeLogCollector().GetSnapshot().Select(record => record.Id.Id).Where(id =>
            id is >= 2005 and <= 2007));
    }

    /// <summary>A hosted service that speaks is stopped before the pipeline closes, whatever the order of registration.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_worker_can_finish_its_sentence(bool workerFirst)
    {
        var loader = new FakeLoader();
        using var host = Hosts.Create(loader, services =>
        {
            if (!workerFirst)
                services.AddLightTts();
            services.AddSingleton<Worker>().AddHostedService(provider => provider.GetRequiredService<Worker>());
            if (workerFirst)
                services.AddLightTts();
        });
        await host.StartAsync();
        var worker = host.Services.GetRequiredService<Worker>();
        await worker.Speaking.Task;
        await host.StopAsync();
        Assert.NotEmpty(await worker.LastWords.Task);
    }

    private static async Task Until(Func<bool> condition)
    {
        while (!condition())
            await Task.Yield();
    }

    private sealed class Worker(ITtsPipeline pipeline) : BackgroundService
    {
        public TaskCompletionSource Speaking { get; } = new();

        public TaskCompletionSource<List<AudioChunk>> LastWords { get; } = new();

        protected override async Task ExecuteAsync(CancellationToken stoppingToken)
        {
            var stopping = new TaskCompletionSource();
            await using var registration = stoppingToken.Register(stopping.SetResult);
            Speaking.SetResult();
            await stopping.Task;
            LastWords.SetResult(await FakeEngine.Collect(pipeline.SynthesizeAsync(new SynthesisRequest { Text = "good bye." },
                CancellationToken.None)));
        }
    }
}
