using System.Runtime.InteropServices;
using LightTts.Samples.Server.Requests;
using LightTts.Samples.Server.Voices;

namespace LightTts.Samples.Server.Hosting;

/// <summary>After SIGTERM: the server goes on listening, says 503 to what is new, and lets what runs end, before anything is closed.</summary>
internal sealed class Drain(ServerOptions options, Admission admission, StyleCatalog styles, TimeProvider time, ILoggerFactory loggers)
    : IHostedLifecycleService
{
    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        admission.BeginStop();
        var active = admission.Active;
        if (active == 0)
            return;
        using var again = PosixSignalRegistration.Create(PosixSignal.SIGINT, EndNow); // before anybody is told of it
        ServerLog.Draining(loggers.CreateLogger("LightTts.Server"), active, options.DrainTimeout.TotalSeconds);
        try
        {
            await admission.WhenIdle().WaitAsync(options.DrainTimeout, time, cancellationToken);
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            // What is left is ended with the pipeline.
        }
    }

    /// <summary>Whoever presses Ctrl-C again does not want to wait for what still runs.</summary>
    private void EndNow(PosixSignalContext signal)
    {
        signal.Cancel = true; // the stop goes on in its order
        foreach (var style in styles.Pipelines)
            _ = style.Pipeline.DisposeAsync().AsTask();
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
