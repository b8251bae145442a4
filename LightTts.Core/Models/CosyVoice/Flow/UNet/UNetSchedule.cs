using LightTts.Torch;
using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace LightTts.Models.CosyVoice.Flow.UNet;

/// <summary>What depends on the solver's times only: what every level adds between its convolutions, at every step.</summary>
/// <remarks>Reference: SinusoidalPosEmb and TimestepEmbedding of Matcha-TTS, and the mlp of each ResNet block.</remarks>
internal sealed class UNetSchedule : IDisposable
{
    private const double TimeScale = 1000;

    private readonly Tensor[] _levels; // each [steps, Channels]

    public UNetSchedule(UNetWeights weights, Tensor times)
    {
        using var scope = NewDisposeScope();
        var half = weights.Time1.Inputs / 2;
        var frequencies = exp(Scalars.Range(0, half, times.device).mul(Scalars.Of(-(Math.Log(10000) / (half - 1)))));
        var angles = times.unsqueeze(1).mul(Scalars.Of(TimeScale)) * frequencies.unsqueeze(0);
        var time = F.mish(weights.Time2.Apply(F.silu(weights.Time1.Apply(cat([angles.sin(), angles.cos()], 1)))));
        _levels = [.. weights.Levels.Select(level => level.Time.Apply(time).DetachFromDisposeScope())];
    }

    /// <summary>What a level adds at a step, [Channels], in the caller's dispose scope.</summary>
    public Tensor At(int step, int level) => _levels[level][step];

    public void Dispose()
    {
        foreach (var level in _levels)
            level.Dispose();
    }
}
