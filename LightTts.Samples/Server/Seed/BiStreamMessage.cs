using System.Text.Json;

namespace LightTts.Samples.Server.Seed;

/// <summary>A text frame of the bi-stream protocol: a flat JSON object.</summary>
internal sealed record BiStreamMessage(string? PromptText, string? Style, string? Voice, string? Text, bool Finish)
{
    private static readonly JsonDocumentOptions Options = new() { MaxDepth = 8 };

    /// <exception cref="FormatException">It is not such an object; the message says why.</exception>
    public static BiStreamMessage Parse(ReadOnlyMemory<byte> json)
    {
        try
        {
            using var document = JsonDocument.Parse(json, Options);
            var root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object)
                throw new FormatException("a JSON object is expected");
            return new BiStreamMessage(String(root, "prompt_text"), String(root, "tts_model_name"), String(root, "voice"), String(root, "tts_text"),
                Bool(root, "finish"));
        }
        catch (JsonException)
        {
            throw new FormatException("the message is not valid JSON");
        }
    }

    private static string? String(JsonElement root, string name)
    {
        if (!root.TryGetProperty(name, out var value))
            return null;
        try
        {
            return value.ValueKind == JsonValueKind.String ? value.GetString() : throw new FormatException($"{name} must be a string");
        }
        catch (InvalidOperationException)
        {
            throw new FormatException($"{name} is not valid text");
        }
    }

    private static bool Bool(JsonElement root, string name)
    {
        if (!root.TryGetProperty(name, out var value))
            return false;
        return value.ValueKind switch
        {
            JsonValueKind.True => true,
            JsonValueKind.False or JsonValueKind.Null => false,
            JsonValueKind.Number => value.TryGetDouble(out var number) && number != 0,
            _ => throw new FormatException($"{name} must be true or false"),
        };
    }
}
