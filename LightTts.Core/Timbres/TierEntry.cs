namespace LightTts.Timbres;

/// <summary>A line of a tier's list.</summary>
internal sealed record TierEntry(TimbreKey Key, string? Transcript, TimeSpan Duration, DateTimeOffset CreatedAt, TimbreOrigin Origin, long Bytes,
    bool Pinned, IReadOnlyList<string> Names);
