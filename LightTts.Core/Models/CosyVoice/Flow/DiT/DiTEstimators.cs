using LightTts.Models.CosyVoice.Flow.DiT.Cpu;
using LightTts.Torch;
using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Flow.DiT;

/// <summary>Chooses the estimator for where the weights lie.</summary>
internal static class DiTEstimators
{
    /// <inheritdoc cref="DiTEstimator(DiTWeights, TorchDevice, int, long?)"/>
    public static IVelocityEstimator Create(DiTWeights weights, TorchDevice device, int pageFrames, long? cacheBudget) =>
        device.IsCuda && DiTDeviceEstimator.Fits(weights, pageFrames)
            ? new DiTDeviceEstimator(weights, device, pageFrames, cacheBudget)
            : !device.IsCuda && device.Compute == ScalarType.Float32 && CpuDiTEstimator.Fits(weights)
            ? new CpuDiTEstimator(weights, device, pageFrames, cacheBudget)
            : new DiTEstimator(weights, device, pageFrames, cacheBudget);
}
