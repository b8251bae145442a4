using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace LightTts.Samples.Server.OpenAI;

internal sealed record ErrorAnswer([property: JsonPropertyName("error")] ErrorBody Error);

internal sealed record ErrorBody(
    [property: JsonPropertyName("message")] string Message,
    [property: JsonPropertyName("type")] string Type,
    [property: JsonPropertyName("param")] string? Parameter,
    [property: JsonPropertyName("code")] string Code);

internal sealed record ListAnswer<T>([property: JsonPropertyName("object")] string Kind, [property: JsonPropertyName("data")] IReadOnlyList<T> Data);

internal sealed record ModelAnswer(
    [property: JsonPropertyName("id")] string Id,
    [property: JsonPropertyName("object")] string Kind,
    [property: JsonPropertyName("created")] long Created,
    [property: JsonPropertyName("owned_by")] string OwnedBy,
    [property: JsonPropertyName("root"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Root,
    [property: JsonPropertyName("languages")] IReadOnlyList<string> Languages,
    [property: JsonPropertyName("sample_rate")] int SampleRate,
    [property: JsonPropertyName("formats")] IReadOnlyList<string> Formats);

internal sealed record VoiceAnswer(
    [property: JsonPropertyName("id")] string Id,
    [property: JsonPropertyName("object")] string Kind,
    [property: JsonPropertyName("name")] string Name,
    [property: JsonPropertyName("preset")] bool Preset,
    [property: JsonPropertyName("created_at")] long? CreatedAt,
    [property: JsonPropertyName("description"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Description,
    [property: JsonPropertyName("language"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Language,
    [property: JsonPropertyName("seconds"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] double? Seconds);

internal sealed record DeletedAnswer(
    [property: JsonPropertyName("id")] string Id,
    [property: JsonPropertyName("object")] string Kind,
    [property: JsonPropertyName("deleted")] bool Deleted);

internal sealed record UsageAnswer(
    [property: JsonPropertyName("input_tokens")] int InputTokens,
    [property: JsonPropertyName("output_tokens")] int OutputTokens,
    [property: JsonPropertyName("total_tokens")] int TotalTokens);

internal sealed record DeltaEvent(
    [property: JsonPropertyName("type")] string Type,
    [property: JsonPropertyName("audio")] ReadOnlyMemory<byte> Audio,
    [property: JsonPropertyName("start"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] double? Start,
    [property: JsonPropertyName("text_range"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] int[]? TextRange);

internal sealed record DoneEvent([property: JsonPropertyName("type")] string Type, [property: JsonPropertyName("usage")] UsageAnswer Usage);

internal sealed record ErrorEvent([property: JsonPropertyName("type")] string Type, [property: JsonPropertyName("error")] ErrorBody Error);

/// <summary>The JSON of OpenAI's routes.</summary>
[JsonSerializable(typeof(ErrorAnswer))]
[JsonSerializable(typeof(ListAnswer<ModelAnswer>))]
[JsonSerializable(typeof(ListAnswer<VoiceAnswer>))]
[JsonSerializable(typeof(ModelAnswer))]
[JsonSerializable(typeof(VoiceAnswer))]
[JsonSerializable(typeof(DeletedAnswer))]
[JsonSerializable(typeof(DeltaEvent))]
[JsonSerializable(typeof(DoneEvent))]
[JsonSerializable(typeof(ErrorEvent))]
internal sealed partial class OpenAIJson : JsonSerializerContext
{
    /// <summary>With apostrophes as they are: people read the messages, and no page takes them for markup.</summary>
    public static OpenAIJson Plain { get; } = new(new JsonSerializerOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
}
