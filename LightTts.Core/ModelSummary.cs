namespace LightTts;

/// <summary>What a model directory is, as far as it can be told without loading its weights.</summary>
public sealed record ModelSummary
{
    /// <summary>The model's name: from lighttts.json, otherwise that of its folder or of the hub's.</summary>
    public required string Name { get; init; }

    /// <summary>Its folder.</summary>
    public required string Path { get; init; }

    /// <summary>The family of models that it belongs to.</summary>
    public required ModelFamily Family { get; init; }

    /// <summary>The license of the model, where the directory says so.</summary>
    public string? License { get; init; }

    /// <summary>Languages that it was trained on (BCP 47), where the directory says so.</summary>
    public required IReadOnlyList<string> Languages { get; init; }

    /// <summary>Samples a second of the audio that it makes (Hz).</summary>
    public required int SampleRate { get; init; }

    /// <summary>Solver steps of a request that names none.</summary>
    public required int FlowSteps { get; init; }

    /// <summary>The names of its preset voices.</summary>
    public required IReadOnlyList<string> Voices { get; init; }

    /// <summary>The names of its language models.</summary>
    public required IReadOnlyList<string> Styles { get; init; }

    /// <summary>Its files: name and bytes.</summary>
    public required IReadOnlyList<KeyValuePair<string, long>> Files { get; init; }
}
