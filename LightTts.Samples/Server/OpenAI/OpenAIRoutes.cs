using LightTts.Extensions.Formats;
using LightTts.Samples.Server.Requests;
using LightTts.Samples.Server.Voices;

namespace LightTts.Samples.Server.OpenAI;

/// <summary>The routes of OpenAI's API that have to do with speech.</summary>
internal static class OpenAIRoutes
{
    public static void Map(WebApplication app)
    {
        var services = app.Services;
        var runner = services.GetRequiredService<RequestRunner>();
        var styles = services.GetRequiredService<StyleCatalog>();
        var voices = services.GetRequiredService<VoicesEndpoint>();
        app.MapPost(SpeechEndpoint.Route, services.GetRequiredService<SpeechEndpoint>().HandleAsync);
        app.MapGet("/v1/models", context => runner.RunQuietlyAsync(context, OpenAIErrors.WriteAsync, _ =>
            OpenAIErrors.WriteJsonAsync(context, StatusCodes.Status200OK, new ListAnswer<ModelAnswer>("list", [.. styles.All.Select(Describe)]),
            OpenAIJson.Plain.ListAnswerModelAnswer)));
        app.MapGet("/v1/models/{id}", (HttpContext context, string id) => runner.RunQuietlyAsync(context, OpenAIErrors.WriteAsync, _ =>
            OpenAIErrors.WriteJsonAsync(context, StatusCodes.Status200OK, Describe(styles.Find(id)), OpenAIJson.Plain.ModelAnswer)));
        foreach (var path in new[] { "/v1/voices", "/v1/audio/voices" })
        {
            app.MapGet(path, voices.ListAsync);
            app.MapPost(path, voices.AddAsync);
            app.MapDelete(path + "/{name}", voices.RemoveAsync);
        }
    }

    private static ModelAnswer Describe(Style style) =>
        new(style.Name, "model", 0, "lighttts", style.Host.Model?.Name, style.Host.Model?.Languages ?? [], style.Host.Model?.SampleRate ?? 0,
        [.. Enum.GetValues<AudioFormat>().Where(AudioFormats.IsAvailable).Select(format => format.ToString().ToLowerInvariant())]);
}
