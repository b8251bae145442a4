using System.Text.Json;

namespace LightTts.Models.CosyVoice.Files;

/// <summary>A CosyVoice2 or CosyVoice3 model directory: its files, its configuration, its preset voices. Opening it reads no weights.</summary>
internal sealed class ModelDirectory
{
    /// <summary>Optional facts about the model that the reference's layout has no place for.</summary>
    public const string InfoFile = "lighttts.json";

    private const int DefaultFlowSteps = 10;

    private const long MaxVocabulary = 64 * 1024 * 1024;

    private ModelDirectory(ModelFiles files, CosyVoiceConfig config)
    {
        Files = files;
        Config = config;
        var info = File.Exists(Path.Combine(files.Root, InfoFile)) ? ConfigFile.Json(Path.Combine(files.Root, InfoFile)) : null;
        Name = info?.QuotedOrNull("name") ?? Path.GetFileName(Path.TrimEndingDirectorySeparator(files.Root));
        ModelVersion = info?.QuotedOrNull("version");
        License = info?.QuotedOrNull("license");
        Languages = info is not null && info.Has("languages") ? info.QuotedTexts("languages") : [];
        var text = info is not null && info.Has("text") ? info.Section("text") : null;
        SentenceCase = text?.FlagOrNull("sentence_case") ?? false;
        FinalPunctuation = text?.FlagOrNull("final_punctuation");
        LetterNames = text?.FlagOrNull("letter_names") ?? false;
        FlowSteps = info is not null && info.Has("flow_steps") ? info.Int("flow_steps", 1, 100) : DefaultFlowSteps;
        var presets = new PresetReader(files.Root, config);
        var (prefix, voices, fallback) = presets.ReadVoicesFile(info?.QuotedOrNull("voices"));
        presets.AddFeatures(voices, prefix);
        InstructionPrefix = prefix;
        Voices = voices;
        DefaultVoice = info?.QuotedOrNull("default_voice") ?? fallback ?? voices.FirstOrDefault()?.Name;
        if (DefaultVoice is not null && voices.All(voice => voice.Name != DefaultVoice))
            throw new TtsModelLoadException($"{Path.Combine(files.Root, InfoFile)}: the default voice '{DefaultVoice}' is not among the voices.");
    }

    public ModelFiles Files { get; }

    public CosyVoiceConfig Config { get; }

    /// <summary>From lighttts.json, otherwise the directory's name.</summary>
    public string Name { get; }

    public string? ModelVersion { get; }

    public string? License { get; }

    /// <summary>BCP 47; empty where the directory does not say.</summary>
    public IReadOnlyList<string> Languages { get; }

    /// <summary>Whether the model wants a capital at the start of an utterance.</summary>
    public bool SentenceCase { get; }

    /// <summary>Whether the model wants a mark at the end of an utterance; null where the directory does not say.</summary>
    public bool? FinalPunctuation { get; }

    /// <summary>Whether the model wants the name of a letter that stands alone spelt.</summary>
    public bool LetterNames { get; }

    /// <summary>Solver steps of a request that names none.</summary>
    public int FlowSteps { get; }

    public IReadOnlyList<PresetVoice> Voices { get; }

    /// <summary>One of <see cref="Voices"/>; null where there are none.</summary>
    public string? DefaultVoice { get; }

    /// <summary>What the prompt text starts with, before the transcript; empty for CosyVoice2.</summary>
    public string InstructionPrefix { get; }

    /// <exception cref="TtsModelLoadException">Files are missing, damaged, or contradict each other; the message names them.</exception>
    public static ModelDirectory Open(string path)
    {
        var (files, generation) = ModelFiles.Find(path);
        var config = CosyVoiceConfigReader.Read(generation, ConfigFile.Yaml(files.Yaml), ConfigFile.Json(files.QwenConfig));
        CheckVocabulary(files.Vocabulary, config.Language.TextVocabulary);
        return new ModelDirectory(files, config);
    }

    /// <summary>A tokenizer with ids that the embedding has no row for belongs to another model; found here, not at the first request.</summary>
    private static void CheckVocabulary(string path, int rows)
    {
        try
        {
            if (new FileInfo(path).Length > MaxVocabulary)
                throw new TtsModelLoadException($"{path}: too large for a vocabulary.");
            var json = new Utf8JsonReader(File.ReadAllBytes(path));
            var (count, largest) = (0, -1);
            for (; json.Read(); count++)
                if (json.TokenType == JsonTokenType.Number)
                    largest = Math.Max(largest, json.GetInt32());
            if (count == 0 || largest < 0)
                throw new TtsModelLoadException($"{path}: the vocabulary is empty.");
            if (largest >= rows)
                throw new TtsModelLoadException($"{path}: token id {largest} has no row in the model's embedding of {rows}; the tokenizer belongs to "
                + $"another model.");
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException or IOException or UnauthorizedAccessException)
        {
            throw new TtsModelLoadException($"{path}: not a vocabulary: {e.Message}", e);
        }
    }
}
