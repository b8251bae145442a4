using System.Globalization;

namespace LightTts.Samples.Speak;

/// <summary>What a model is and which voices there are, as text.</summary>
internal static class ModelReport
{
    public static void Write(TtsPipeline pipeline, TextWriter output)
    {
        var model = pipeline.Model;
        void Line(string name, string? value) => output.WriteLine($"{name + ":",-14}{value}");
        Line("name", model.Name);
        Line("kind", model.Kind);
        Line("path", model.Path);
        Line("parameters", model.Parameters.ToString("N0", CultureInfo.InvariantCulture));
        Line("sample rate", $"{model.SampleRate} Hz");
        Line("token rate", $"{model.TokenRate} Hz");
        Line("flow steps", model.FlowSteps.ToString(CultureInfo.InvariantCulture));
        Line("languages", model.Languages.Count > 0 ? string.Join(", ", model.Languages) : "not stated");
        Line("license", model.License ?? "not stated");
        Line("device", $"{model.Device}, {model.Precision}");
        Line("voices", model.Voices.Count == 0 ? "none (use --prompt)" : string.Join(", ", model.Voices.Select(voice => voice.Name)));
        output.WriteLine("files:");
        foreach (var file in new DirectoryInfo(model.Path).EnumerateFiles("*", SearchOption.AllDirectories).OrderBy(file => file.FullName, StringComparer.Ordinal))
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {file.Length,15:N0}  {Path.GetRelativePath(model.Path, file.FullName)}"));
    }

    public static async Task WriteVoicesAsync(TtsPipeline pipeline, TextWriter output)
    {
        foreach (var voice in pipeline.Model.Voices)
            output.WriteLine($"{voice.Name,-12} {voice.Language,-6} {voice.Description}{(voice.Name == pipeline.Model.DefaultVoice ? " (default)" : "")}");
        foreach (var stored in (await pipeline.Timbres.ListAsync()).Where(stored => stored.Name is not null))
            output.WriteLine($"{stored.Name,-12} {"",-6} stored, {stored.Duration.TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture)} s of reference audio");
    }
}
