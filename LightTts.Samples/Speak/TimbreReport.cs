using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace LightTts.Samples.Speak;

/// <summary>The stored voices as text: a line for each name, since each can be used, renamed and removed.</summary>
internal static class TimbreReport
{
    private const int ShownId = 16; // the start of an id is enough to name a voice

    private static readonly JsonSerializerOptions s_json = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static void Write(IReadOnlyList<TimbreInfo> voices, TextWriter output, bool json)
    {
        if (json)
        {
            output.WriteLine(new JsonArray([.. voices.Select(info => new JsonObject
            {
                ["id"] = info.Id, ["names"] = new JsonArray([.. info.Names.Select(name => JsonValue.Create(name))]),
                    ["seconds"] = info.Duration.TotalSeconds,
                ["bytes"] = info.Bytes, ["pinned"] = info.Pinned, ["transcript"] = info.Transcript,
            })]).ToJsonString(s_json));
            return;
        }
        foreach (var info in voices)
            foreach (var name in info.Names.DefaultIfEmpty("-"))
                output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"{name,-16} {info.Duration.TotalSeconds,5:0.0} s {info.Bytes,9:N0} B {(info.Pinned ? "pinned" : "      ")} {info.Id[..ShownId]} "
                    + $" {info.Transcript}"));
    }
}
