using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using LightTts.Samples.Server.Requests;

namespace LightTts.Samples.Server.OpenAI;

/// <summary>What an encoder writes, as server-sent events: each write is one <c>speech.audio.delta</c>.</summary>
internal sealed class EventStream(Stream body) : WriteOnlyStream
{
    /// <summary>What the next event says about the chunk that it begins with: where it starts and which part of the text it speaks.</summary>
    public (double Start, int From, int To)? Chunk { get; set; }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var chunk = Chunk;
        Chunk = null;
        await SendAsync(new DeltaEvent("speech.audio.delta", buffer, chunk?.Start, chunk is { } c ? [c.From, c.To] : null),
            OpenAIJson.Plain.DeltaEvent);
    }

    public async ValueTask SendAsync<T>(T value, JsonTypeInfo<T> type)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(value, type);
        var bytes = new byte[6 + json.Length + 2];
        "data: "u8.CopyTo(bytes);
        json.CopyTo(bytes, 6);
        "\n\n"u8.CopyTo(bytes.AsSpan(6 + json.Length));
        await body.WriteAsync(bytes);
    }
}
