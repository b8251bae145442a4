using System.Text.Json;
using System.Text.Json.Nodes;

namespace LightTts.Benchmarks;

/// <summary>One flat JSON object of figures, to which several commands add theirs.</summary>
internal static class ResultsFile
{
    private static readonly JsonSerializerOptions s_json = new() { WriteIndented = true };

    /// <summary>Sets figures in a file and leaves the others in it as they are.</summary>
    /// <param name="file">Made where it is missing.</param>
    /// <param name="prefix">Put before every key, so that several models share a file.</param>
    /// <param name="figures">Null values and numbers that are not finite are left out.</param>
    public static void Merge(FileInfo file, string prefix, IEnumerable<KeyValuePair<string, double?>> figures)
    {
        // FileInfo.Exists is what it was when it was first asked.
        var all = File.Exists(file.FullName) && JsonNode.Parse(File.ReadAllText(file.FullName)) is JsonObject found ? found : [];
        foreach (var (key, value) in figures)
            if (value is { } number && double.IsFinite(number))
                all[prefix + key] = Math.Round(number, 4);
        file.Directory?.Create();
        // Readers never see half of it.
        var written = file.FullName + ".new";
        File.WriteAllText(written, all.ToJsonString(s_json) + "\n");
        File.Move(written, file.FullName, overwrite: true);
    }
}
