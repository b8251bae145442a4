namespace LightTts;

/// <summary>A preset voice of a model.</summary>
/// <param name="Name">The name to put into <see cref="SynthesisRequest.Voice"/>.</param>
/// <param name="Description">What it sounds like, where the model says so.</param>
/// <param name="Language">The language of its reference audio (BCP 47), where the model says so.</param>
public sealed record VoiceInfo(string Name, string? Description, string? Language);
