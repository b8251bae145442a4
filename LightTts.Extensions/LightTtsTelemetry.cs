namespace LightTts.Extensions;

/// <summary>The names to hand to OpenTelemetry.</summary>
/// <example>
/// <code>
/// builder.Services.AddOpenTelemetry()
///     .WithTracing(tracing => tracing.AddSource(LightTtsTelemetry.SourceName))
///     .WithMetrics(metrics => metrics.AddMeter(LightTtsTelemetry.MeterName));
/// </code>
/// </example>
public static class LightTtsTelemetry
{
    /// <summary>The <see cref="System.Diagnostics.ActivitySource"/>: a span for each
    /// request, with a child for each stage's part of each sentence.</summary>
    public const string SourceName = "LightTts";

    /// <summary>The <see cref="System.Diagnostics.Metrics.Meter"/>.</summary>
    public const string MeterName = "LightTts";
}
