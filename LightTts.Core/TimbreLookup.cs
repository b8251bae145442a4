namespace LightTts;

/// <summary>A voice and where it came from.</summary>
/// <param name="Timbre">The voice.</param>
/// <param name="Source">Where it came from.</param>
public readonly record struct TimbreLookup(Timbre Timbre, TimbreSource Source);
