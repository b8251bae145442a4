namespace LightTts.Timbres;

/// <summary>What a tier says about a name.</summary>
/// <param name="State">Whether it stands for a voice.</param>
/// <param name="Target">The voice's key where it does.</param>
internal readonly record struct TierName(NameState State, TimbreKey Target);
