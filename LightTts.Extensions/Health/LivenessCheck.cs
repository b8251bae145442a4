using LightTts.Extensions.Hosting;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace LightTts.Extensions.Health;

/// <summary>Whether a restart would help: Unhealthy once a stage's thread has ended or hangs in one step.</summary>
internal sealed class LivenessCheck(PipelineHost host) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var result = host.State == TtsPipelineState.Ready && host.Status is { } status && PipelineHealth.Fault(host, status) is { } fault
            ? new HealthCheckResult(context.Registration.FailureStatus, fault, data: PipelineHealth.Data(host, status))
            : HealthCheckResult.Healthy();
        return Task.FromResult(result);
    }
}
