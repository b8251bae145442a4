namespace LightTts;

/// <summary>A pipeline at one moment, for health checks and dashboards.</summary>
public sealed record TtsPipelineStatus
{
    /// <summary>Requests in the pipeline.</summary>
    public required int ActiveRequests { get; init; }

    /// <summary>The most requests that may be in the pipeline at once.</summary>
    public required int MaxActiveRequests { get; init; }

    /// <summary>The three stages.</summary>
    public required IReadOnlyList<StageStatus> Stages { get; init; }

    /// <summary>Blocks of the language model's key/value cache that are in use.</summary>
    public required int KvBlocksInUse { get; init; }

    /// <summary>Sequences that the language stage holds.</summary>
    public required int LanguageSequences { get; init; }

    /// <summary>Utterances that the decode stage holds.</summary>
    public required int DecodeUtterances { get; init; }

    /// <summary>Bytes of flow and vocoder caches that the decode stage holds.</summary>
    public required long DecodeCacheBytes { get; init; }
}
