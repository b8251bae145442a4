namespace LightTts.Models.CosyVoice.Flow;

/// <summary>How a chunk-causal utterance gets at the frames behind it.</summary>
internal enum FlowCachePolicy
{
    /// <summary>Keep their keys and values: each frame is computed once.</summary>
    Cached,

    /// <summary>Compute them again in each pass, in passes that become rarer; no memory between passes and the same result.</summary>
    Recompute,
}
