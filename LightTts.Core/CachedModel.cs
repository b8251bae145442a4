namespace LightTts;

/// <summary>A model in the cache of downloaded models.</summary>
public sealed record CachedModel
{
    /// <summary>Its name on the hub, owner/name.</summary>
    public required string Name { get; init; }

    /// <summary>Its folder, for <see cref="TtsPipelineOptions.ModelPath"/>.</summary>
    public required string Path { get; init; }

    /// <summary>The commit that the folder holds.</summary>
    public required string Commit { get; init; }

    /// <summary>Branches and tags that were this commit when they were fetched last.</summary>
    public IReadOnlyList<string> Revisions { get; init; } = [];

    /// <summary>Bytes of its files.</summary>
    public required long Bytes { get; init; }

    /// <summary>Whether all files that LightTts needs are there.</summary>
    public required bool IsComplete { get; init; }
}
