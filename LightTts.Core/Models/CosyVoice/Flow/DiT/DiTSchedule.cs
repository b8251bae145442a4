using LightTts.Torch;
using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace LightTts.Models.CosyVoice.Flow.DiT;

/// <summary>Everything of a solver run that depends on the number of steps only: every block's modulation at every step.</summary>
/// <remarks>
/// Reference: DiT/modules.py (TimestepEmbedding, AdaLayerNormZero, AdaLayerNormZero_Final). A layer norm without weights
/// followed by x (1 + scale) + shift is a layer norm with weight 1 + scale and bias shift, so the modulation costs no pass of its own.
/// </remarks>
internal sealed class DiTSchedule : IDisposable
{
    private const double TimeScale = 1000;

    private int _holders = 1;

    /// <param name="weights">The transformer's.</param>
    /// <param name="times">The solver's.</param>
    /// <param name="fold">Whether the table holds <see cref="DiTFold"/>, behind the rest.</param>
    public DiTSchedule(DiTWeights weights, float[] times, bool fold = false)
    {
        using var scope = NewDisposeScope();
        var steps = times.Length - 1;
        Steps = new DiTStep[steps];
        Deltas = TensorData.FromSingles([.. Enumerable.Range(0, steps).Select(k => times[k + 1] - times[k])], weights.InputBias.device, steps)
            .DetachFromDisposeScope();
        var silu = F.silu(TimeEmbedding(weights, TensorData.FromSingles(times[..steps], weights.InputBias.device, steps))); // [Steps, Dim]
        var final = weights.FinalModulation.Apply(silu); // [Steps, 2 Dim], scale first here, shift first in the blocks
        var table = cat([.. weights.Blocks.Select(block => block.Modulation.Apply(silu)), final], 1);
        DiTStep.AddOne(table, weights.Blocks.Length, weights.Config.Dim);
        Table = (fold ? cat([table, .. DiTFold.Columns(weights, table)], 1) : table).DetachFromDisposeScope();
        for (var k = 0; k < steps; k++)
            Steps[k] = DiTStep.Of(Table[k], weights.Blocks.Length, weights.Config.Dim);
    }

    /// <summary>Everything, a row a step, in the order of <see cref="DiTStep.Of"/>: [Steps, (6 blocks + 2) Dim], and more where it is
    /// folded.</summary>
    public Tensor Table { get; }

    /// <summary>Differences of the steps' times, [Steps].</summary>
    public Tensor Deltas { get; }

    public DiTStep[] Steps { get; }

    /// <summary>The reference's TimestepEmbedding: sinusoids of 1000 t, two linear layers. [Steps] -> [Steps, Dim]</summary>
    public static Tensor TimeEmbedding(DiTWeights weights, Tensor times)
    {
        var half = weights.Time1.Inputs / 2;
        var frequencies = exp(Scalars.Range(0, half, times.device).mul(Scalars.Of(-(Math.Log(10000) / (half - 1)))));
        var angles = times.unsqueeze(1).mul(Scalars.Of(TimeScale)) * frequencies.unsqueeze(0);
        return weights.Time2.Apply(F.silu(weights.Time1.Apply(cat([angles.sin(), angles.cos()], 1))));
    }

    /// <summary>Keeps it while a pass uses it.</summary>
    public DiTSchedule Hold()
    {
        Interlocked.Increment(ref _holders);
        return this;
    }

    /// <summary>Gives the maker's or a pass's hold back.</summary>
    public void Dispose()
    {
        if (Interlocked.Decrement(ref _holders) > 0)
            return;
        foreach (var step in Steps)
            step.Dispose();
        Deltas.Dispose();
        Table.Dispose();
    }
}

/// <summary>One solver step.</summary>
/// <param name="Blocks">Modulation of each block.</param>
/// <param name="Scale">1 + scale of the last norm.</param>
/// <param name="Shift">Shift of the last norm.</param>
internal sealed record DiTStep(DiTModulation[] Blocks, Tensor Scale, Tensor Shift) : IDisposable
{
    /// <summary>Vectors of a block: shift, scale and gate of attention, then of the feed-forward part.</summary>
    public const int Parts = 6;

    /// <summary>Numbers of a step.</summary>
    public static long Width(int blocks, long dim) => (Parts * blocks + 2) * dim;

    /// <summary>A step's numbers under their names; parts of the row, which stays the caller's.</summary>
    /// <param name="row">[<see cref="Width"/>].</param>
    /// <param name="blocks">Blocks of the transformer.</param>
    /// <param name="dim">Its width.</param>
    public static DiTStep Of(Tensor row, int blocks, long dim)
    {
        Tensor Part(int index) => row.narrow(0, index * dim, dim).DetachFromDisposeScope();
        DiTModulation Block(int at) => new(Part(at), Part(at + 1), Part(at + 2), Part(at + 3), Part(at + 4), Part(at + 5));
        return new DiTStep([.. Enumerable.Range(0, blocks).Select(block => Block(Parts * block))], Part(Parts * blocks), Part(Parts * blocks + 1));
    }

    /// <summary>Makes factors of all scales of a table, in place: [Steps, <see cref="Width"/>].</summary>
    public static void AddOne(Tensor table, int blocks, long dim)
    {
        using var scope = NewDisposeScope();
        var parts = table.narrow(1, 0, Parts * blocks * dim).view(-1, blocks, Parts, dim);
        parts.select(2, 1).add_(Scalars.One);
        parts.select(2, 4).add_(Scalars.One);
        table.narrow(1, Parts * blocks * dim, dim).add_(Scalars.One);
    }

    public void Dispose()
    {
        foreach (var block in Blocks)
            block.Dispose();
        Scale.Dispose();
        Shift.Dispose();
    }
}

/// <summary>One block's modulation at one step; the scales have their 1 added. Each tensor is [Dim].</summary>
internal sealed record DiTModulation(Tensor Shift1, Tensor Scale1, Tensor Gate1, Tensor Shift2, Tensor Scale2, Tensor Gate2) : IDisposable
{
    public void Dispose()
    {
        foreach (var tensor in (Tensor[])[Shift1, Scale1, Gate1, Shift2, Scale2, Gate2])
            tensor.Dispose();
    }
}
