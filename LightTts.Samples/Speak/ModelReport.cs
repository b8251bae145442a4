using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using LightTts.Samples.Speak.Terminal;

namespace LightTts.Samples.Speak;

/// <summary>What a model is and which voices there are, as text.</summary>
internal static class ModelReport
{
    private static readonly JsonSerializerOptions s_json = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>A voice by its name, or by its number in the list.</summary>
    /// <exception cref="TtsRequestException">There is none.</exception>
    public static async Task<string?> FindVoiceAsync(TtsPipeline pipeline, string? wanted, CancellationToken cancellation)
    {
        if (wanted is null || pipeline.Model.Voices.Any(voice => voice.Name == wanted)
            || await pipeline.Timbres.GetAsync(wanted, cancellation) is not null)
            return wanted;
        var voices = await VoicesAsync(pipeline, cancellation);
        if (int.TryParse(wanted, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= 1 && number <= voices.Count)
            return voices[number - 1].Name;
        var names = voices.Select(voice => voice.Name).ToList();
        throw new TtsRequestException(
            $"There is no voice '{wanted}'.{Suggestion.For(wanted, names)} There are: {string.Join(", ", names)}. Learn one: speak timbres add NAME "
            + $"FILE.wav");
    }

    public static void Write(TtsPipeline pipeline, TextWriter output, bool json)
    {
        var model = pipeline.Model;
        if (json)
        {
            output.WriteLine(new JsonObject
            {
                ["name"] = model.Name, ["kind"] = model.Family.ToString(), ["path"] = model.Path, ["parameters"] = model.Parameters,
                    ["sampleRate"] = model.SampleRate,
                ["tokenRate"] = model.TokenRate, ["flowSteps"] = model.FlowSteps, ["license"] = model.License, ["device"] = model.DeviceName,
                ["precision"] = model.Precision.ToString().ToLowerInvariant(),
                ["styles"] = new JsonArray([.. pipeline.Styles.Select(style => JsonValue.Create(style))]),
                ["languages"] = new JsonArray([.. model.Languages.Select(language => JsonValue.Create(language))]),
                ["voices"] = new JsonArray([.. model.Voices.Select(voice => JsonValue.Create(voice.Name))]),
            }.ToJsonString(s_json));
            return;
        }
        void Line(string name, string? value) => output.WriteLine($"{name + ":",-14}{value}");
        Line("name", model.Name);
        Line("kind", model.Family.ToString());
        Line("path", model.Path);
        Line("parameters", model.Parameters.ToString("N0", CultureInfo.InvariantCulture));
        Line("sample rate", $"{model.SampleRate} Hz");
        Line("token rate", $"{model.TokenRate} Hz");
        Line("flow steps", model.FlowSteps.ToString(CultureInfo.InvariantCulture));
        Line("languages", model.Languages.Count > 0 ? string.Join(", ", model.Languages) : "not stated");
        Line("license", model.License ?? "not stated");
        Line("device", $"{model.DeviceName}, {model.Precision.ToString().ToLowerInvariant()}");
        if (pipeline.Styles.Count > 1)
            Line("styles", string.Join(", ", pipeline.Styles));
        Line("voices", model.Voices.Count == 0 ? "none (use --prompt)" : string.Join(", ", model.Voices.Select(voice => voice.Name)));
        output.WriteLine("files:");
        foreach (var file in new DirectoryInfo(model.Path).EnumerateFiles("*", SearchOption.AllDirectories).OrderBy(file =>
            file.FullName, StringComparer.Ordinal))
            output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"  {file.Length,15:N0}  {Path.GetRelativePath(model.Path, file.FullName)}"));
    }

    public static async Task WriteVoicesAsync(TtsPipeline pipeline, TextWriter output, bool json, CancellationToken cancellation)
    {
        var voices = await VoicesAsync(pipeline, cancellation);
        if (json)
        {
            output.WriteLine(new JsonArray([.. voices.Select((voice, i) => new JsonObject
            {
                ["number"] = i + 1, ["name"] = voice.Name, ["language"] = voice.Language, ["description"] = voice.Description,
                ["stored"] = voice.Stored, ["default"] = voice.Name == pipeline.Model.DefaultVoice && !voice.Stored,
            })]).ToJsonString(s_json));
            return;
        }
        for (var i = 0; i < voices.Count; i++)
        {
            var voice = voices[i];
            output.WriteLine($"{i + 1,3}  {voice.Name,-12} {voice.Language,-6} "
                + $"{voice.Description}{(voice.Name == pipeline.Model.DefaultVoice && !voice.Stored ? " (default)" : "")}");
        }
    }

    private static async Task<IReadOnlyList<ListedVoice>> VoicesAsync(TtsPipeline pipeline, CancellationToken cancellation) =>
    [
        .. pipeline.Model.Voices.Select(voice => new ListedVoice(voice.Name, voice.Language, voice.Description, Stored: false)),
        .. (await pipeline.Timbres.ListAsync(cancellation)).SelectMany(info =>
        info.Names.Select(name => new ListedVoice(name, null, string.Create(CultureInfo.InvariantCulture,
            $"stored, {info.Duration.TotalSeconds:0.0} s of reference audio"), Stored: true))).OrderBy(voice => voice.Name, StringComparer.Ordinal),
    ];

    private sealed record ListedVoice(string Name, string? Language, string? Description, bool Stored);
}
