namespace LightTts;

/// <summary>What a <see cref="ITimbreStore"/> knows about a voice.</summary>
public sealed record TimbreInfo
{
    /// <summary>The identity: see <see cref="Timbre.Id"/>.</summary>
    public required string Id { get; init; }

    /// <summary>The first of its names, or null for an anonymous voice.</summary>
    public string? Name => Names.Count > 0 ? Names[0] : null;

    /// <summary>Its names, in ordinal order.</summary>
    public required IReadOnlyList<string> Names { get; init; }

    /// <summary>What the reference audio says, or null where it is not known.</summary>
    public required string? Transcript { get; init; }

    /// <summary>The length of the reference audio.</summary>
    public required TimeSpan Duration { get; init; }

    /// <summary>Bytes that it takes.</summary>
    public required long Bytes { get; init; }

    /// <summary>When it was extracted or imported.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Whether it is pinned.</summary>
    public required bool Pinned { get; init; }

    /// <summary>Where it is found fastest: <see cref="TimbreSource.Process"/>, else
    /// <see cref="TimbreSource.Segment"/>, else <see cref="TimbreSource.Durable"/>.</summary>
    public required TimbreSource Source { get; init; }
}
