namespace LightTts;

/// <summary>A pipeline at one moment, for health checks and dashboards.</summary>
public sealed record TtsPipelineStatus
{
    /// <summary>Requests in the pipeline.</summary>
    public required int ActiveRequests { get; init; }

    /// <summary>The most requests that may be in the pipeline at once.</summary>
    public required int MaxActiveRequests { get; init; }

    /// <summary>The three stages; of each device, where the pipeline has several.</summary>
    public required IReadOnlyList<StageStatus> Stages { get; init; }

    /// <summary>Blocks of the language model's key/value cache that are in use.</summary>
    public required int KvBlocksInUse { get; init; }

    /// <summary>Sequences that the language stage holds.</summary>
    public required int LanguageSequences { get; init; }

    /// <summary>Utterances that the decode stage holds.</summary>
    public required int DecodeUtterances { get; init; }

    /// <summary>Bytes of flow and vocoder caches that the decode stage holds.</summary>
    public required long DecodeCacheBytes { get; init; }

    /// <summary>Bytes of memory that the flow has set aside for its caches (see <see cref="TtsPipelineOptions.FlowCacheBytes"/>).</summary>
    public long FlowCacheBytes { get; init; }

    /// <summary>Those of them that hold something: utterances' pasts and voices' prompts, what is shared counted once.</summary>
    public long FlowCacheBytesInUse { get; init; }

    /// <summary>Bytes of the prompts of voices that are kept for their next utterance.</summary>
    public long FlowPromptBytes { get; init; }
}
