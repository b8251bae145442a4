using System.Collections.Concurrent;
using LightTts.Torch;
using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Flow;

/// <summary>The times that the solver's steps lead through (reference: flow_matching.py, the cosine schedule).</summary>
internal static class FlowTimes
{
    private static readonly ConcurrentDictionary<int, float[]> Known = new();

    /// <summary>From 0 to 1, one more than steps; in 32 bits, as the reference computes them. Not to be changed: every pass asks for them, and gets
    /// the same.</summary>
    public static float[] Cosine(int steps) => Known.GetOrAdd(steps, Compute);

    private static float[] Compute(int steps)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(steps);
        using var scope = NewDisposeScope();
        var span = cos(linspace(0, 1, steps + 1, dtype: ScalarType.Float32).mul(Scalars.Of(0.5)).mul(Scalars.Of(Math.PI))).neg_().add_(Scalars.One);
        return span.data<float>().ToArray();
    }
}
