using LightTts.Samples.Server.Requests;
using LightTts.Samples.Server.Voices;

namespace LightTts.Samples.Server.OpenAI;

/// <summary><c>/v1/voices</c>: the presets, and the voices that a client adds from a few seconds of speech.</summary>
internal sealed class VoicesEndpoint(ServerOptions options, RequestRunner runner, Admission admission, StyleCatalog styles, TimeProvider time)
{
    private const string Kind = "voice";

    public Task ListAsync(HttpContext context) => runner.RunQuietlyAsync(context, OpenAIErrors.WriteAsync, async client =>
    {
        var style = styles.Find(context.Request.Query["model"]);
        List<VoiceAnswer> voices = [.. style.Pipeline.Model.Voices.Select(voice =>
            new VoiceAnswer(voice.Name, Kind, voice.Name, true, null, voice.Description, voice.Language, null))];
        voices.AddRange((await VoiceCatalog.OwnAsync(style, client, context.RequestAborted)).Select(voice =>
            Describe(voice.Name, voice.Info.CreatedAt, voice.Info.Duration)));
        await OpenAIErrors.WriteJsonAsync(context, StatusCodes.Status200OK, new ListAnswer<VoiceAnswer>("list", voices),
            OpenAIJson.Plain.ListAnswerVoiceAnswer);
    });

    public Task AddAsync(HttpContext context) => runner.RunAsync(context, "/v1/voices", OpenAIErrors.WriteAsync, async (client, record) =>
    {
        using var reading = admission.BeginUpload(client);
        var form = await Uploads.ReadFormAsync(context, options, time);
        var style = styles.Find(form["model"]);
        var file = form.Files.GetFile("audio_sample") ?? form.Files.GetFile("file") ?? form.Files.GetFile("prompt_wav")
            ?? throw new RequestFailedException(Failure.Invalid("Missing required parameter: 'audio_sample'.", "audio_sample"));
        var name = form["name"].ToString();
        var transcript = form.TryGetValue("transcript", out var given) ? given.ToString() : form["prompt_text"].ToString();
        if (transcript.Length > options.MaxPromptTextLength)
            throw new RequestFailedException(Failure.Invalid($"'transcript' has {transcript.Length} characters, the limit is "
            + $"{options.MaxPromptTextLength}.", "transcript"));
        await using var stream = file.OpenReadStream();
        var audio = await Uploads.DecodeAsync(stream, options, context.RequestAborted);
        using var place = admission.Enter(client);
        reading.Dispose();
        var timbre = await VoiceCatalog.AddAsync(style, client, name, audio, transcript.Trim() is { Length: > 0 } words ? words
            : null, context.RequestAborted);
        await OpenAIErrors.WriteJsonAsync(context, StatusCodes.Status200OK, Describe(name, DateTimeOffset.UnixEpoch, timbre.Duration),
            OpenAIJson.Plain.VoiceAnswer);
    });

    public Task RemoveAsync(HttpContext context) => runner.RunQuietlyAsync(context, OpenAIErrors.WriteAsync, async client =>
    {
        var style = styles.Find(context.Request.Query["model"]);
        var name = (string)context.Request.RouteValues["name"]!;
        if (style.Pipeline.Model.Voices.Any(voice => voice.Name == name))
            throw new RequestFailedException(Failure.Invalid("A preset voice cannot be removed.", "name"));
        if (!await VoiceCatalog.RemoveAsync(style, client, name, context.RequestAborted))
            throw new RequestFailedException(new Failure(StatusCodes.Status404NotFound, "voice_not_found", "There is no such voice.", null, "name"));
        await OpenAIErrors.WriteJsonAsync(context, StatusCodes.Status200OK, new DeletedAnswer(name, Kind, true), OpenAIJson.Plain.DeletedAnswer);
    });

    private static VoiceAnswer Describe(string name, DateTimeOffset created, TimeSpan duration) =>
        new(name, Kind, name, false, created > DateTimeOffset.UnixEpoch ? created.ToUnixTimeSeconds()
        : null, null, null, Math.Round(duration.TotalSeconds, 2));
}
