using System.Text.Json;

namespace LightTts.Models.CosyVoice.Files;

/// <summary>Loads the configuration files of a model directory into <see cref="ConfigSection"/>s.</summary>
internal static class ConfigFile
{
    /// <summary>Real ones have a few kilobytes.</summary>
    private const long MaxBytes = 1024 * 1024;

    /// <summary>Loads a HyperPyYAML file.</summary>
    /// <exception cref="TtsModelLoadException">It cannot be read or is not valid.</exception>
    public static ConfigSection Yaml(string path) => new(path, HyperYaml.Parse(ReadText(path), path), "");

    /// <summary>Loads a JSON file whose top level is an object.</summary>
    /// <exception cref="TtsModelLoadException">It cannot be read or is not valid.</exception>
    public static ConfigSection Json(string path)
    {
        try
        {
            using var document = JsonDocument.Parse(ReadText(path),
                new JsonDocumentOptions { MaxDepth = 32, CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
            return Convert(document.RootElement) is ConfigMap map ? new ConfigSection(path, map, "")
                : throw new TtsModelLoadException($"{path}: a JSON object is expected.");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new TtsModelLoadException($"{path}: not valid JSON: {e.Message}", e);
        }
    }

    private static ConfigNode Convert(JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                var items = new Dictionary<string, ConfigNode>(StringComparer.Ordinal);
                foreach (var property in element.EnumerateObject())
                    items[property.Name] = Convert(property.Value);
                return new ConfigMap(items, null);
            case JsonValueKind.Array:
                return new ConfigList([.. element.EnumerateArray().Select(Convert)], null);
            case JsonValueKind.String:
                return new ConfigScalar(element.GetString()!, Quoted: true, null);
            default:
                return new ConfigScalar(element.GetRawText(), Quoted: false, null);
        }
    }

    private static string ReadText(string path)
    {
        try
        {
            var length = new FileInfo(path).Length;
            return length <= MaxBytes ? File.ReadAllText(path)
                : throw new TtsModelLoadException($"{path}: {length} bytes are too many for a configuration file.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new TtsModelLoadException($"{path}: cannot be read: {e.Message}", e);
        }
    }
}
