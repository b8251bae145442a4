using LightTts.Models.CosyVoice.Files;
using LightTts.Torch;

namespace LightTts.Models.CosyVoice.Flow;

/// <summary>What a flow is made of, read from its checkpoint. A part that cannot be had for a configuration throws
/// <see cref="TtsModelLoadException"/>.</summary>
/// <param name="Encoder">Reads the encoder.</param>
/// <param name="Estimator">Reads the velocity estimator.</param>
internal sealed record FlowParts(Func<WeightReader, FlowConfig, IFlowEncoder> Encoder,
    Func<WeightReader, FlowConfig, FlowOptions, IVelocityEstimator> Estimator);
