using System.IO.Enumeration;
using System.Text.Json;

namespace LightTts.Models.CosyVoice.Files;

/// <summary>Which of a published model's files are read here.</summary>
internal static class ModelFileNames
{
    private const long MaxJson = 4 << 20;

    private static readonly string[] Common =
    [
        "CosyVoice-BlankEN/config.json", "CosyVoice-BlankEN/vocab.json", "CosyVoice-BlankEN/merges.txt", "campplus.onnx",
    ];

    private static readonly string[] Optional = ["CosyVoice-BlankEN/tokenizer_config.json", "spk2info.pt", ModelDirectory.InfoFile,
        StyleFile.ConfigFileName];

    private static readonly string[] Weights = ["llm", "flow", "hift"];

    /// <summary>What to fetch of a model.</summary>
    /// <param name="all">The names of its files.</param>
    /// <param name="folder">Where those that have come lie: some name others.</param>
    /// <param name="include">Further names, with wildcards.</param>
    /// <exception cref="TtsDownloadException">It is no model of a known kind.</exception>
    public static IReadOnlyCollection<string> Needed(IReadOnlyCollection<string> all, string folder, IEnumerable<string> include)
    {
        var there = all.ToHashSet(StringComparer.Ordinal);
        var generation = CosyVoiceGeneration.All.FirstOrDefault(generation => there.Contains(generation.YamlFile))
            ?? throw new TtsDownloadException("This is no CosyVoice2 or CosyVoice3 model: it has neither cosyvoice2.yaml nor cosyvoice3.yaml. Models "
                + "with a short name: speak models list --known.");
        var needed = new SortedSet<string>(StringComparer.Ordinal) { generation.YamlFile, generation.SpeechTokenizerFile };
        needed.UnionWith(Common);
        foreach (var name in Weights)
            // Styles may stand for llm.pt.
            if (name != "llm" || there.Contains("llm.pt") || there.Contains("llm.safetensors") || !there.Contains(StyleFile.ConfigFileName))
                needed.Add(!there.Contains(name + ".pt") && there.Contains(name + ".safetensors") ? name + ".safetensors" : name + ".pt");
        if (needed.Where(name => !there.Contains(name)).ToList() is { Count: > 0 } missing)
            throw new TtsDownloadException($"The hub's copy is not complete: it lacks {string.Join(", ", missing)}. Nothing was fetched; use another "
                + "revision, or another model.");
        needed.UnionWith(Optional.Where(there.Contains));
        AddNamed(needed, there, folder);
        foreach (var pattern in include)
            needed.UnionWith(there.Where(name => FileSystemName.MatchesSimpleExpression(pattern, name, ignoreCase: false)));
        return needed;
    }

    /// <summary>Adds the files that the small JSON files name: voices, their prompts, the language models of styles.</summary>
    private static void AddNamed(SortedSet<string> needed, HashSet<string> there, string folder)
    {
        var open = new Queue<string>([ModelDirectory.InfoFile, StyleFile.ConfigFileName]);
        while (open.TryDequeue(out var name))
        {
            var path = Path.Combine([folder, .. name.Split('/')]);
            if (!File.Exists(path) || new FileInfo(path).Length > MaxJson)
                continue;
            foreach (var named in Texts(File.ReadAllBytes(path)).Where(there.Contains).Where(needed.Add))
                if (named.EndsWith(".json", StringComparison.Ordinal))
                    open.Enqueue(named);
        }
    }

    private static List<string> Texts(byte[] json)
    {
        List<string> texts = [];
        try
        {
            for (var reader = new Utf8JsonReader(json); reader.Read();)
                if (reader.TokenType == JsonTokenType.String && reader.GetString() is { } text)
                    texts.Add(text.StartsWith("./", StringComparison.Ordinal) ? text[2..] : text);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // What is wrong with it the loader says.
        }
        return texts;
    }
}
