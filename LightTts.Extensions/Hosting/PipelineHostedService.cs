using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace LightTts.Extensions.Hosting;

/// <summary>The name of a registered pipeline: its service key, empty for the one without.</summary>
internal sealed record PipelineName(string Value);

/// <summary>Ties all registered pipelines to the host's life.</summary>
/// <remarks>
/// Loads before the other hosted services start, and closes after they have stopped, so
/// that a web server's or a worker's requests can end whatever the order of registration.
/// </remarks>
internal sealed class PipelineHostedService(IServiceProvider services, IEnumerable<PipelineName> names) : IHostedLifecycleService
{
    private readonly PipelineHost[] _hosts = [.. names.Select(name => services.GetRequiredKeyedService<PipelineHost>(name.Value))];

    public async Task StartingAsync(CancellationToken cancellationToken)
    {
        List<Task> blocking = [];
        foreach (var host in _hosts)
        {
            if (host.Options.WarmUp == WarmUpMode.Blocking)
                blocking.Add(host.GetAsync(cancellationToken));
            else if (host.Options.WarmUp == WarmUpMode.Background)
                _ = ObserveAsync(host);
        }
        await Task.WhenAll(blocking).ConfigureAwait(false);
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken)
    {
        foreach (var host in _hosts)
            host.BeginStop();
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.WhenAll(_hosts.Select(host => host.StopAsync(cancellationToken)));

    /// <summary>A load in the background: its failure is logged, and shown by the readiness check and by every request.</summary>
    private static async Task ObserveAsync(PipelineHost host) =>
        await host.WaitUntilReadyAsync(CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
}
