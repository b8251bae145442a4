using LightTts.Weights;
using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Flow;

/// <summary>Limits of what the flow keeps.</summary>
/// <param name="CacheBudget">Bytes that utterances' caches and precomputed prompts may take together; null: half of a CUDA device's free
/// memory, 1.25 GiB on the CPU. Utterances beyond it go on with <see cref="FlowCachePolicy.Recompute"/> until there is room again.</param>
/// <param name="PrefixBudget">Bytes of it that precomputed prompts may take, the least recently used going first; null: half.
/// What nobody speaks with goes as soon as utterances need the room.</param>
/// <param name="Over">Puts another estimator over the flow's own, which it owns from then on; null: none.</param>
internal sealed record FlowOptions(long? CacheBudget = null, long? PrefixBudget = null, EstimatorOver? Over = null);

/// <summary>Puts an estimator over another; gives that one back where there is nothing better.</summary>
/// <param name="own">The flow's own.</param>
/// <param name="weights">What it was read from.</param>
/// <param name="device">Where it computes.</param>
internal delegate IVelocityEstimator EstimatorOver(IVelocityEstimator own, ITensorArchive weights, Device device);
