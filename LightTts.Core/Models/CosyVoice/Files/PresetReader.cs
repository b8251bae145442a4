using LightTts.Timbres;
using LightTts.Weights;

namespace LightTts.Models.CosyVoice.Files;

/// <summary>Reads the preset voices: spk2info.pt (name -> {'embedding'} or a whole
/// prompt, as the reference's save_spkinfo writes it) and the voices file.</summary>
internal sealed class PresetReader(string root, CosyVoiceConfig config)
{
    /// <summary>A reference is at most 30 s; this leaves room for others' limits and keeps a damaged file from asking for gigabytes.</summary>
    private const int MaxTokens = 60 * 25;

    /// <summary>The voices file's prefix, voices and default; with no file, the model's own prefix and no voices.</summary>
    /// <exception cref="TtsModelLoadException">It is not valid, or names files that are missing or outside the directory.</exception>
    public (string Prefix, List<PresetVoice> Voices, string? Default) ReadVoicesFile(string? relative)
    {
        var prefix = config.Generation.InstructionPrefix;
        if (relative is null)
            return (prefix, [], null);
        var file = ConfigFile.Json(ContainedPath.Resolve(root, relative, Path.Combine(root, ModelDirectory.InfoFile)));
        var voices = new List<PresetVoice>();
        foreach (var voice in file.Sections("voices"))
        {
            var prompt = ContainedPath.Resolve(root, voice.Text("file"), Path.Combine(root, relative));
            if (!File.Exists(prompt))
                throw voice.Bad("file", $"names '{voice.Text("file")}', which is missing");
            voices.Add(new PresetVoice(voice.Text("name"), voice.TextOrNull("description"), voice.TextOrNull("language")) { PromptFile = prompt,
                Transcript = voice.TextOrNull("text") });
        }
        return voices.Select(voice => voice.Name).Distinct(StringComparer.Ordinal).Count() == voices.Count
            ? (file.TextOrNull("prefix") ?? prefix, voices, file.TextOrNull("default"))
            : throw file.Bad("voices", "names a voice twice");
    }

    /// <summary>Adds what spk2info.pt knows, if there is one, to the voices.</summary>
    /// <exception cref="TtsModelLoadException">It is damaged or does not fit the model.</exception>
    public void AddFeatures(List<PresetVoice> voices, string prefix)
    {
        var path = Path.Combine(root, "spk2info.pt");
        if (!File.Exists(path))
            return;
        using var checkpoint = PyTorchCheckpoint.Open(path);
        if (checkpoint.Root is not IReadOnlyDictionary<string, object?> speakers)
            throw new TtsModelLoadException($"{path}: a dictionary of speakers is expected.");
        foreach (var (name, value) in speakers)
        {
            if (value is not IReadOnlyDictionary<string, object?> speaker)
                throw new TtsModelLoadException($"{path}: speaker '{name}' is not a dictionary.");
            var at = voices.FindIndex(voice => voice.Name == name);
            var known = at >= 0 ? voices[at] : new PresetVoice(name, null, null);
            var (features, ids) = new Speaker(path, name, speaker, config).Read();
            known = known with { Features = features with { PromptText = known.Transcript is null ? null : prefix + known.Transcript },
                PromptTextIds = ids };
            if (at >= 0)
                voices[at] = known;
            else
                voices.Add(known);
        }
    }

    private sealed class Speaker(string path, string name, IReadOnlyDictionary<string, object?> fields, CosyVoiceConfig config)
    {
        public (TimbreFeatures Features, int[] TextIds) Read()
        {
            var embedding = Tensor("flow_embedding") ?? Tensor("embedding") ?? Tensor("llm_embedding") ?? throw Bad("embedding", "is missing");
            var vector = Singles(embedding, "embedding");
            if (vector.Length != config.Flow.SpeakerEmbedding)
                throw Bad("embedding", $"has {vector.Length} numbers where the model has {config.Flow.SpeakerEmbedding}");
            var tokens = Ids("flow_prompt_speech_token", config.Flow.VocabularySize);
            var mel = Tensor("prompt_speech_feat") is { } feat ? Mel(feat) : [];
            if (mel.Length != (long)tokens.Length * config.TokenMelRatio * config.Flow.MelBands)
                throw Bad("prompt_speech_feat",
                $"has {mel.Length / config.Flow.MelBands} frames for {tokens.Length} speech tokens; {config.TokenMelRatio} a token are expected");
            if (!Ids("llm_prompt_speech_token", config.Language.SpeechTokens).AsSpan().SequenceEqual(tokens))
                throw Bad("llm_prompt_speech_token", "differs from flow_prompt_speech_token");
            return (new TimbreFeatures(null, tokens, mel, mel.Length / config.Flow.MelBands, vector),
                Ids("prompt_text", config.Language.TextVocabulary));
        }

        private float[] Mel(TensorEntry tensor) => tensor.Shape[^1] == config.Flow.MelBands
            ? Singles(tensor, "prompt_speech_feat")
            : throw Bad("prompt_speech_feat", $"has shape [{string.Join(", ", tensor.Shape)}]; {config.Flow.MelBands} bands are expected last");

        private float[] Singles(TensorEntry tensor, string key)
        {
            var values = tensor.ToSingles();
            return values.AsSpan().IndexOfAnyExceptInRange(float.MinValue, float.MaxValue) < 0 ? values
                : throw Bad(key, "has values that are not finite");
        }

        private int[] Ids(string key, int count)
        {
            if (Tensor(key) is not { } tensor)
                return [];
            var ids = tensor.ToInt64s();
            return ids.All(id => id >= 0 && id < count) ? [.. ids.Select(id => (int)id)] : throw Bad(key, $"has ids outside 0 to {count - 1}");
        }

        private TensorEntry? Tensor(string key) => fields.GetValueOrDefault(key) switch
        {
            null => null,
            TensorEntry tensor when tensor.Shape.Count >= 1 && tensor.ElementCount <= (long)MaxTokens * config.TokenMelRatio * config.Flow.MelBands =>
            tensor,
            _ => throw Bad(key, "is not a tensor of a usable size"),
        };

        private TtsModelLoadException Bad(string key, string why) => new($"{path}: speaker '{name}': '{key}' {why}.");
    }
}
