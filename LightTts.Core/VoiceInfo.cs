namespace LightTts;

/// <summary>A voice that a request can name.</summary>
/// <param name="Name">The name to put into <see cref="SynthesisRequest.Voice"/>.</param>
/// <param name="Description">What it sounds like, where the model says so.</param>
/// <param name="Language">The language of its reference audio (BCP 47), where the model says so.</param>
public sealed record VoiceInfo(string Name, string? Description, string? Language)
{
    /// <summary>What the timbre store knows of a voice that was learnt.</summary>
    /// <value>Null for the presets of a model.</value>
    public TimbreInfo? Learnt { get; init; }

    /// <summary>Whether it is one of the model's own voices.</summary>
    public bool IsPreset => Learnt is null;
}
