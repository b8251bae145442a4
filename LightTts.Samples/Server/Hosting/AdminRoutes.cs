using System.Text.Json;
using LightTts.Samples.Server.Metrics;
using LightTts.Samples.Server.Requests;
using LightTts.Samples.Server.Seed;
using LightTts.Samples.Server.Voices;

namespace LightTts.Samples.Server.Hosting;

/// <summary>Routes for whoever runs the server, on a port of their own that only the machine itself reaches.</summary>
internal static class AdminRoutes
{
    private const string Prefix = "/admin";
    private static readonly string[] Loopback = ["localhost", "127.0.0.1", "[::1]"];

    /// <summary>Keeps the two ports apart: the admin port has nothing but /admin, the other one everything but that.</summary>
    public static Task GuardAsync(HttpContext context, RequestDelegate next)
    {
        var admin = context.RequestServices.GetRequiredService<AdminPort>().Value;
        var isAdmin = admin is { } port && context.Connection.LocalPort == port;
        // A page that the operator looks at can reach this port, too, by its number or by a name of its own for the loopback.
        if (isAdmin && !(Loopback.Contains(context.Request.Host.Host) && context.Request.Headers.Origin.Count == 0))
            throw new RequestFailedException(new Failure(StatusCodes.Status403Forbidden, "forbidden",
                "The admin routes are called by the loopback's own names, and by no page."));
        if (isAdmin == context.Request.Path.StartsWithSegments(Prefix))
            return next(context);
        context.Response.StatusCode = StatusCodes.Status404NotFound;
        return Task.CompletedTask;
    }

    public static void Map(WebApplication app)
    {
        app.MapGet(Prefix + "/status", StatusAsync);
        app.MapGet(Prefix + "/metrics", MetricsEndpoint.WriteAsync);
        app.MapDelete(Prefix + "/voices/{nameOrId}", static async (HttpContext context, string nameOrId) =>
        {
            var removed = await context.RequestServices.GetRequiredService<StyleCatalog>().Default.Pipeline.Timbres.RemoveAsync(nameOrId,
                context.RequestAborted);
            await SeedAnswers.WriteJsonAsync(context, removed ? StatusCodes.Status200OK : StatusCodes.Status404NotFound, removed
                ? SeedAnswers.Message("Ok") : SeedAnswers.Detail("Not Found"));
        });
        app.MapPost(Prefix + "/stop", static context =>
        {
            context.RequestServices.GetRequiredService<IHostApplicationLifetime>().StopApplication();
            return SeedAnswers.WriteJsonAsync(context, StatusCodes.Status202Accepted, SeedAnswers.Message("stopping"));
        });
    }

    private static async Task StatusAsync(HttpContext context)
    {
        var services = context.RequestServices;
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteNumber("active_requests", services.GetRequiredService<Admission>().Active);
            json.WriteNumber("uploads", services.GetRequiredService<Admission>().Uploads);
            json.WriteStartArray("models");
            foreach (var style in services.GetRequiredService<StyleCatalog>().Pipelines)
                Write(json, style);
            json.WriteEndArray();
            json.WriteEndObject();
        }
        context.Response.ContentType = "application/json";
        await context.Response.Body.WriteAsync(buffer.GetBuffer().AsMemory(0, (int)buffer.Length), context.RequestAborted);
    }

    private static void Write(Utf8JsonWriter json, Style style)
    {
        json.WriteStartObject();
        json.WriteString("name", style.Name);
        json.WriteString("state", style.Host.State.ToString());
        json.WriteString("error", style.Host.Error?.Message);
        if (style.Host.Status is { } status)
        {
            json.WriteNumber("active_requests", status.ActiveRequests);
            json.WriteNumber("kv_blocks_in_use", status.KvBlocksInUse);
            json.WriteNumber("decode_cache_bytes", status.DecodeCacheBytes);
            json.WriteNumber("flow_cache_bytes", status.FlowCacheBytes);
            json.WriteNumber("flow_cache_bytes_in_use", status.FlowCacheBytesInUse);
            json.WriteNumber("flow_prompt_bytes", status.FlowPromptBytes);
            foreach (var stage in status.Stages)
            {
                json.WriteStartObject(stage.Stage.ToString().ToLowerInvariant() + (stage.Device is { } device ? $"@{device}" : ""));
                json.WriteBoolean("alive", stage.IsAlive);
                json.WriteNumber("busy_ms", stage.BusyFor.TotalMilliseconds);
                json.WriteNumber("queue", stage.QueueLength);
                json.WriteEndObject();
            }
        }
        json.WriteEndObject();
    }
}
