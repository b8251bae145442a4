namespace LightTts.Timbres.Sharing;

/// <summary>A voice as the segment holds it.</summary>
/// <param name="Record">The voice.</param>
/// <param name="Pinned">Whether it is pinned.</param>
/// <param name="Bytes">Bytes that it takes in the segment.</param>
internal readonly record struct SegmentVoice(TimbreRecord Record, bool Pinned, int Bytes);
