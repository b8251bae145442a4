using System.Text.Json;
using LightTts.Extensions.Formats;
using LightTts.Samples.Server.Requests;

namespace LightTts.Samples.Server.OpenAI;

/// <summary>The body of <c>/v1/audio/speech</c>.</summary>
/// <param name="Model">The model; null for the default.</param>
/// <param name="Input">The text.</param>
/// <param name="Voice">The voice; null for the model's default.</param>
/// <param name="Instructions">How to speak; null for none.</param>
/// <param name="Encoding">The format, and ours beside OpenAI's: <c>sample_rate</c> and <c>sample_format</c>.</param>
/// <param name="Speed">0.25 to 4.</param>
/// <param name="Events">Whether audio comes as server-sent events.</param>
/// <param name="Seed">Ours: the seed of the draws.</param>
/// <param name="Language">Ours: the language of the text; null for what it shows.</param>
internal sealed record SpeechForm(string? Model, string Input, string? Voice, string? Instructions, AudioEncoderOptions Encoding, double Speed,
    bool Events, long? Seed, string? Language)
{
    private const int MaxBytes = 1 << 20;
    private const int MaxInstructions = 1000;
    private const int MaxLanguage = 35; // the longest tag that RFC 5646 asks everybody to take

    /// <exception cref="RequestFailedException">The body cannot be read or asks for what cannot be done.</exception>
    public static async Task<SpeechForm> ReadAsync(HttpContext context, ServerOptions options, CancellationToken cancellationToken)
    {
        if (context.Request.ContentLength > MaxBytes)
            throw new RequestFailedException(Failure.TooLarge("The request is too large."));
        context.Features.Get<Microsoft.AspNetCore.Http.Features.IHttpMaxRequestBodySizeFeature>()!.MaxRequestBodySize = MaxBytes;
        try
        {
            using var document = await JsonDocument.ParseAsync(context.Request.Body, new JsonDocumentOptions { MaxDepth = 16 },
                cancellationToken);
            return Parse(document.RootElement, options);
        }
        catch (JsonException)
        {
            throw Invalid("The body is not valid JSON.", null);
        }
    }

    private static SpeechForm Parse(JsonElement root, ServerOptions options)
    {
        if (root.ValueKind != JsonValueKind.Object)
            throw Invalid("The body must be a JSON object.", null);
        var input = Text(root, "input") ?? throw Invalid("Missing required parameter: 'input'.", "input");
        if (string.IsNullOrWhiteSpace(input))
            throw Invalid("'input' has nothing to speak.", "input");
        if (input.Length > options.MaxTextLength)
            throw Invalid($"'input' has {input.Length} characters, the limit is {options.MaxTextLength}.", "input");
        var instructions = Text(root, "instructions");
        if (instructions?.Length > MaxInstructions)
            throw Invalid($"'instructions' has {instructions.Length} characters, the limit is {MaxInstructions}.", "instructions");
        var speed = Number(root, "speed") ?? 1;
        if (!(speed >= 0.25 && speed <= 4))
            throw Invalid("'speed' must be from 0.25 to 4.", "speed");
        var language = Text(root, "language");
        if (language?.Length > MaxLanguage)
            throw Invalid("'language' must be a language tag, such as en or en-GB.", "language");
        var events = Text(root, "stream_format") switch
        {
            null or "audio" => false,
            "sse" => true,
            _ => throw Invalid("'stream_format' must be audio or sse.", "stream_format"),
        };
        var seed = Number(root, "seed") is { } number ? number == Math.Floor(number) && Math.Abs(number) < 1L << 53 ? (long?)number
            : throw Invalid("'seed' must be an integer.", "seed") : null;
        return new SpeechForm(Text(root, "model"), input, VoiceOf(root), string.IsNullOrWhiteSpace(instructions) ? null
            : instructions, EncodingOf(root), speed, events, seed, string.IsNullOrEmpty(language) ? null : language);
    }

    private static AudioEncoderOptions EncodingOf(JsonElement root)
    {
        var name = Text(root, "response_format");
        // OpenAI's default is mp3; a server without ffmpeg answers requests that name no format in the format that every player has.
        var format = name is null ? AudioFormats.IsAvailable(AudioFormat.Mp3) ? AudioFormat.Mp3 : AudioFormat.Wav
            : AudioFormats.TryParse(name, out var known) && !name.Contains('/') ? known
            : throw Invalid("'response_format' must be wav, pcm, opus, flac, mp3 or aac.", "response_format");
        if (!AudioFormats.IsAvailable(format))
            throw Invalid($"This server cannot write {name}, because ffmpeg is not installed on it. Use wav, pcm, opus or flac.", "response_format");
        var depth = Text(root, "sample_format") switch
        {
            null or "s16" => PcmSampleFormat.Int16,
            "u8" => PcmSampleFormat.UInt8,
            "s24" => PcmSampleFormat.Int24,
            "s32" => PcmSampleFormat.Int32,
            "f32" => PcmSampleFormat.Float32,
            _ => throw Invalid("'sample_format' must be s16, u8, s24, s32 or f32.", "sample_format"),
        };
        if (format == AudioFormat.Flac && depth is not (PcmSampleFormat.Int16 or PcmSampleFormat.Int24))
            throw Invalid("flac has the sample formats s16 and s24.", "sample_format");
        var rate = Number(root, "sample_rate");
        if (rate is not null && !(rate >= 4_000 && rate <= 192_000 && rate == Math.Floor(rate.Value)))
            throw Invalid("'sample_rate' must be an integer from 4000 to 192000.", "sample_rate");
        if (format == AudioFormat.Opus && rate is not (null or 8_000 or 12_000 or 16_000 or 24_000 or 48_000))
            throw Invalid("opus has the sample rates 8000, 12000, 16000, 24000 and 48000.", "sample_rate");
        if (format is AudioFormat.Mp3 or AudioFormat.Aac && rate is not (null or 16_000 or 22_050 or 24_000 or 32_000 or 44_100 or 48_000))
            throw Invalid("mp3 and aac have the sample rates 16000, 22050, 24000, 32000, 44100 and 48000.", "sample_rate");
        return new AudioEncoderOptions { Format = format, SampleFormat = depth, SampleRate = (int?)rate };
    }

    /// <summary>A name, or an object with an id, as OpenAI's custom voices are written.</summary>
    private static string? VoiceOf(JsonElement root) => root.TryGetProperty("voice", out var voice) && voice.ValueKind == JsonValueKind.Object
        ? Text(voice, "id") ?? throw Invalid("'voice' must be a name, or an object with an 'id'.", "voice") : Text(root, "voice");

    private static string? Text(JsonElement root, string name)
    {
        if (!root.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null)
            return null;
        try
        {
            return value.ValueKind == JsonValueKind.String ? value.GetString() : throw Invalid($"'{name}' must be a string.", name);
        }
        catch (InvalidOperationException)
        {
            throw Invalid($"'{name}' is not valid text.", name);
        }
    }

    private static double? Number(JsonElement root, string name) => !root.TryGetProperty(name, out var value)
        || value.ValueKind == JsonValueKind.Null ? null
        : value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) ? number : throw Invalid($"'{name}' must be a number.", name);

    private static RequestFailedException Invalid(string message, string? parameter) => new(Failure.Invalid(message, parameter));
}
