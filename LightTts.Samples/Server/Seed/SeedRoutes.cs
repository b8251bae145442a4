using LightTts.Extensions;
using LightTts.Samples.Server.Metrics;
using LightTts.Samples.Server.Requests;
using LightTts.Samples.Server.Voices;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace LightTts.Samples.Server.Seed;

/// <summary>The routes of the seed system.</summary>
internal static class SeedRoutes
{
    private const string Ok = """{"message":"Ok"}""";
    private const string Error = """{"message":"Error"}""";
    private const string StatusOk = """{"status":"ok"}""";
    private static readonly string[] Probing = ["GET", "HEAD"]; // some of those who watch ask for the head only

    public static void Map(WebApplication app)
    {
        var zeroShot = app.Services.GetRequiredService<ZeroShotEndpoint>();
        var biStream = app.Services.GetRequiredService<BiStreamEndpoint>();
        // matches the path with a slash at its end, too: a redirect would cost a second upload
        app.MapPost(ZeroShotEndpoint.Route, zeroShot.HandleAsync);
        app.MapGet(BiStreamEndpoint.Route, biStream.HandleAsync);
        app.MapMethods("/query_tts_model", ["GET", "POST"], static context =>
        {
            var names = context.RequestServices.GetRequiredService<StyleCatalog>().All.Select(style => SeedAnswers.Quote(style.Name));
            return SeedAnswers.WriteJsonAsync(context, StatusCodes.Status200OK, $"{{\"tts_models\": [{string.Join(", ", names)}]}}");
        });
        app.MapMethods("/health", Probing, HealthAsync);
        app.MapMethods("/healthz", Probing, HealthAsync);
        app.MapMethods("/liveness", Probing, static context => ProbeAsync(context, "live"));
        app.MapMethods("/readiness", Probing, static context => ProbeAsync(context, "ready"));
        app.MapGet("/metrics", MetricsEndpoint.WriteAsync);
    }

    /// <summary>Looks at the stages' heartbeats; never speaks, so it never waits.</summary>
    private static async Task HealthAsync(HttpContext context)
    {
        var broken = Environment.GetEnvironmentVariable("DEBUG_HEALTHCHECK_RETURN_FAIL") == "true" || !await IsHealthyAsync(context, "ready");
        await SeedAnswers.WriteJsonAsync(context, broken ? StatusCodes.Status404NotFound : StatusCodes.Status200OK, broken ? Error : Ok);
    }

    private static async Task ProbeAsync(HttpContext context, string tag)
    {
        if (await IsHealthyAsync(context, tag))
        {
            await SeedAnswers.WriteJsonAsync(context, StatusCodes.Status200OK, StatusOk);
            return;
        }
        var state = context.RequestServices.GetRequiredService<Admission>().IsStopping ? TtsPipelineState.Stopping
            : context.RequestServices.GetRequiredService<ITtsPipelineHost>().State;
        var word = state switch
        {
            TtsPipelineState.NotLoaded or TtsPipelineState.Loading => "loading",
            TtsPipelineState.Stopping or TtsPipelineState.Stopped => "stopping",
            _ => "error",
        };
        await SeedAnswers.WriteJsonAsync(context, StatusCodes.Status503ServiceUnavailable, $"{{\"status\":\"{word}\"}}");
    }

    private static async Task<bool> IsHealthyAsync(HttpContext context, string tag)
    {
        if (tag == "ready" && context.RequestServices.GetRequiredService<Admission>().IsStopping)
            return false;
        var checks = context.RequestServices.GetRequiredService<HealthCheckService>();
        var report = await checks.CheckHealthAsync(check => check.Tags.Contains(tag), context.RequestAborted);
        return report.Status != HealthStatus.Unhealthy;
    }
}
