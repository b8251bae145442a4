namespace LightTts;

/// <summary>Facts about a loaded model.</summary>
public sealed record TtsModelInfo
{
    /// <summary>The model's name: from lighttts.json, otherwise the directory's name.</summary>
    public required string Name { get; init; }

    /// <summary>The kind of model: "CosyVoice2" or "CosyVoice3".</summary>
    public required string Kind { get; init; }

    /// <summary>The directory that it was loaded from.</summary>
    public required string Path { get; init; }

    /// <summary>Samples a second of the audio that it makes (Hz).</summary>
    public required int SampleRate { get; init; }

    /// <summary>Speech tokens a second of audio.</summary>
    public required int TokenRate { get; init; }

    /// <summary>Languages that it was trained on (BCP 47), where the directory says so.</summary>
    public required IReadOnlyList<string> Languages { get; init; }

    /// <summary>The preset voices.</summary>
    public required IReadOnlyList<VoiceInfo> Voices { get; init; }

    /// <summary>The voice of a request that names none, or null where the model has no preset.</summary>
    public required string? DefaultVoice { get; init; }

    /// <summary>Solver steps of a request that names none.</summary>
    public required int FlowSteps { get; init; }

    /// <summary>Numbers in the language model, the flow and the vocoder.</summary>
    public required long Parameters { get; init; }

    /// <summary>The license of the model, where the directory says so.</summary>
    public string? License { get; init; }

    /// <summary>The device that the models run on: "cpu" or "cuda:0".</summary>
    public required string Device { get; init; }

    /// <summary>The arithmetic of the large matrix products: "float32" or "bfloat16".</summary>
    public required string Precision { get; init; }
}
