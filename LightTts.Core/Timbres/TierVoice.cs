namespace LightTts.Timbres;

/// <summary>A voice as a tier holds it.</summary>
/// <param name="Record">The voice.</param>
/// <param name="Pinned">Whether it is pinned.</param>
/// <param name="Bytes">Bytes that it takes there.</param>
internal readonly record struct TierVoice(TimbreRecord Record, bool Pinned, int Bytes);
