using System.Collections.Concurrent;
using LightTts.Cpu;
using LightTts.Torch;
using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Flow.DiT.Cpu;

/// <summary>The velocity estimator on the CPU in 32-bit floats, or with weights of 16 or 8 bits, without a tensor library between them:
/// <see cref="DiTEstimator"/>'s maths.</summary>
/// <remarks>
/// The two guidance rows need nothing of each other, so that each is a thread's (or a group of threads') work for a whole evaluation. Attention
/// reads the past where it lies in its pages.
/// </remarks>
internal sealed class CpuDiTEstimator : IVelocityEstimator
{
    private readonly DiTSchedules _schedules;
    private readonly ConcurrentBag<HeadAttention> _attentions = [];

    /// <inheritdoc cref="DiTEstimator(DiTWeights, TorchDevice, int, long?)"/>
    public CpuDiTEstimator(DiTWeights weights, TorchDevice device, int pageFrames, long? cacheBudget)
    {
        Weights = weights;
        _schedules = new DiTSchedules(weights);
        Positional = new CpuPositional(weights);
        // Beside weights of fewer bits, what is kept of the past in 32 would be most of the memory.
        // In 32 bits what is kept of the past would be most of the memory, beside weights of fewer.
        var kept = device.Int8 ? ScalarType.Int8 : device.HalfWeights ? Precisions.Half : ScalarType.Float32;
        Store = HostFlowPages.Create(new FlowPageShape(weights.Config.Depth, weights.Config.Heads, weights.Config.HeadDim), pageFrames, kept,
            cacheBudget);
    }

    public bool KeepsPast => true;

    public DiTWeights Weights { get; }

    public FlowPagePool Pages => Store.Pool;

    public CpuPositional Positional { get; }

    public HostFlowPages Store { get; }

    /// <summary>Whether a model's shapes and the way in which its weights are kept fit.</summary>
    public static bool Fits(DiTWeights weights) => weights.Config.HeadDim % PackedMatrix.Panel == 0
        && weights.Config.Dim % PackedMatrix.Panel == 0
        && weights.Blocks.All(block => block is { Qkv: HostLinear, AttentionOut: HostLinear, Up: HostLinear, Down: HostLinear });

    public IFlowCache CreateCache(int steps) => new FlowCache(steps, 2, Store);

    public IEstimatorPass Begin(IReadOnlyList<FlowSegment> segments, float[] times)
    {
        using var scope = NewDisposeScope();
        return new CpuDiTPass(this, segments, _schedules.Hold(times), DiTInputs.Prepare(Weights, segments));
    }

    /// <summary>Working memory for a head; <see cref="Return"/> takes it back.</summary>
    public HeadAttention Rent() => _attentions.TryTake(out var attention) ? attention : new HeadAttention(Weights.Config.HeadDim);

    public void Return(HeadAttention attention) => _attentions.Add(attention);

    public void Dispose()
    {
        _schedules.Dispose();
        Positional.Dispose();
        Weights.Dispose();
        Store.Dispose();
        foreach (var attention in _attentions)
            attention.Dispose();
    }
}
