namespace LightTts.Models.CosyVoice.Flow;

/// <summary>Limits of what the flow keeps.</summary>
/// <param name="CacheBudget">Bytes that all utterances' caches may take together; an utterance
/// that would exceed it goes on with <see cref="FlowCachePolicy.Recompute"/>.</param>
/// <param name="PrefixBudget">Bytes that precomputed prompts may take; the least recently used go first.</param>
internal sealed record FlowOptions(long CacheBudget = 4L << 30, long PrefixBudget = 512L << 20);
