using LightTts.Extensions.Hosting;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace LightTts.Extensions.Health;

/// <summary>Whether requests should be sent here: Unhealthy while loading, faulted or stopping, Degraded while the queue is over 80 % full.</summary>
internal sealed class ReadinessCheck(PipelineHost host) : IHealthCheck
{
    private const double Crowded = 0.8;

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(Check(context.Registration.FailureStatus));

    private HealthCheckResult Check(HealthStatus failure)
    {
        var state = host.State;
        if (state == TtsPipelineState.NotLoaded && host.Options.WarmUp == WarmUpMode.Lazy)
            return HealthCheckResult.Healthy($"{host.ModelName} is loaded by the first request.");
        if (state != TtsPipelineState.Ready)
            return new HealthCheckResult(failure, Reason(state), host.Error);

        var status = host.Status!;
        var data = PipelineHealth.Data(host, status);
        if (PipelineHealth.Fault(host, status) is { } fault)
            return new HealthCheckResult(failure, fault, data: data);
        if (PipelineHealth.Loss(host, status) is { } loss)
            return HealthCheckResult.Degraded(loss, data: data);
        var queue = $"{status.ActiveRequests} of {status.MaxActiveRequests} requests.";
        return status.ActiveRequests > Crowded * status.MaxActiveRequests
            ? HealthCheckResult.Degraded("The queue is nearly full: " + queue, data: data)
            : HealthCheckResult.Healthy(queue, data);
    }

    private string Reason(TtsPipelineState state) => state switch
    {
        TtsPipelineState.NotLoaded => $"{host.ModelName} is not loaded yet.",
        TtsPipelineState.Loading => $"{host.ModelName} is loading: {host.Progress.Step} done, {host.Progress.Fraction:P0}.",
        TtsPipelineState.Faulted => $"{host.ModelName} could not be loaded: {host.Error?.Message}",
        TtsPipelineState.Stopping => "The host is stopping.",
        _ => "The pipeline is closed.",
    };
}
