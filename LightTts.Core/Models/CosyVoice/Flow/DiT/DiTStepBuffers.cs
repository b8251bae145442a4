using LightTts.Cuda;
using LightTts.Torch;
using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Flow.DiT;

/// <summary>What an evaluation of one shape reads and writes, allocated once: every one of that shape finds its inputs at the same
/// addresses.</summary>
/// <remarks>
/// Padding frames hold zeros, padding blocks see one frame of their own: everything stays finite, and nobody reads it.
/// A block's places are rows of <see cref="DiTPages.Layer"/>, one for each page that it sees, then that of zeros, that of the frames before it, its
/// own.
/// </remarks>
internal sealed class DiTStepBuffers : IDisposable
{
    private readonly List<Tensor> _all = [];

    public DiTStepBuffers(DiTShape shape, DiTWeights weights, TorchDevice device)
    {
        Shape = shape;
        using var scope = NewDisposeScope();
        var config = weights.Config;
        long frames = (long)shape.Rows * shape.Frames, keys = shape.Keys, dim = config.Dim;
        Tensor Keep(Tensor tensor)
        {
            _all.Add(tensor.DetachFromDisposeScope());
            return tensor;
        }
        Tensor Index(IEnumerable<long> values) => Keep(tensor(values.ToArray(), device: device.Device));
        Mel = Keep(zeros([frames, weights.MelBands], ScalarType.Float32, device.Device));
        Constant = Keep(zeros([2, frames, dim], ScalarType.Float32, device.Device));
        Constant[1].copy_(weights.InputBias.expand(frames, dim)); // all that the unconditional row has
        Rotations = Keep(zeros([frames, 1, config.HeadDim / 2, 2], ScalarType.Float32, device.Device));
        Mask = Keep(zeros([2L * shape.Rows, 1, 1, keys], device.Compute, device.Device));
        Velocity = Keep(zeros([2, frames, weights.MelBands], ScalarType.Float32, device.Device));
        Counting = Index(Enumerable.Range(0, (int)keys).Select(key => (long)key));
        Seen = Keep(ones([shape.Rows], ScalarType.Int64, device.Device));
        Solve = Keep(zeros([FlowStepKernels.SolveBytes / sizeof(long)], ScalarType.Int64, device.Device));
        if (!shape.IsPaged)
            return;
        int columns = shape.Pages + 3, zero = shape.Pages, before = zero + 1, own = before + 1, tail = weights.ConvTail, page = shape.Frames;
        Places = Keep(zeros([shape.Rows, columns], ScalarType.Int64, device.Device));
        // Where the frames of one axis lie: the column of their place, and what is to be added to it for each guidance row.
        (Tensor, Tensor) Frames(IEnumerable<(int Column, int Frame)> axis) => (Index(axis.Select(at => (long)at.Column)),
            Keep(tensor(((long[])[0, page]).SelectMany(row => axis.Select(at => row + at.Frame)).ToArray(), device: device.Device).view(2, 1, -1)));
        (KeyColumns, KeyOffsets) = Frames(Enumerable.Range(0, (int)keys).Select(key =>
            key < shape.Pages * page ? (key / page, key % page) : (zero, 0)));
        (ConvColumns, ConvOffsets) = Frames(Enumerable.Range(-tail, tail + page).Select(at => at < 0 ? (before, page + at) : (own, at)));
        (OwnColumns, OwnOffsets) = Frames(Enumerable.Range(0, page).Select(at => (own, at)));
    }

    public DiTShape Shape { get; }

    /// <summary>The noisy mel, [Rows Frames, MelBands].</summary>
    public Tensor Mel { get; }

    /// <summary>[2, Rows Frames, Dim]: the conditional row's mu, condition and speaker; the unconditional row's bias.</summary>
    public Tensor Constant { get; }

    /// <summary>[Rows Frames, 1, HeadDim / 2, 2], by absolute frame.</summary>
    public Tensor Rotations { get; }

    /// <summary>Minus infinity where a block does not see a key, [2 Rows, 1, 1, Keys].</summary>
    public Tensor Mask { get; }

    /// <summary>The same as numbers of keys, [Rows].</summary>
    public Tensor Seen { get; }

    /// <summary>The result, [2, Rows Frames, MelBands].</summary>
    public Tensor Velocity { get; }

    /// <summary>[Keys]: 0, 1, 2, ...</summary>
    public Tensor Counting { get; }

    /// <summary>What own kernels know of the solve; zeros where there is none.</summary>
    public Tensor Solve { get; }

    /// <summary>[Rows, Pages + 3] at the step.</summary>
    public Tensor? Places { get; }

    /// <summary>Places of a block; 0 where the shape is not paged.</summary>
    public int Columns => Places is null ? 0 : (int)Places.shape[1];

    public Tensor? KeyColumns { get; }

    public Tensor? KeyOffsets { get; }

    public Tensor? ConvColumns { get; }

    public Tensor? ConvOffsets { get; }

    public Tensor? OwnColumns { get; }

    public Tensor? OwnOffsets { get; }

    /// <summary>Batches that are open and will be evaluated here.</summary>
    public int Holders { get; set; }

    /// <summary>The batch whose inputs lie here now.</summary>
    public object? Owner { get; set; }

    /// <summary>The evaluation from these inputs to this result, where it was captured.</summary>
    public CudaGraph? Graph { get; set; }

    /// <summary>Makes <see cref="Mask"/> of <see cref="Seen"/>.</summary>
    public void LoadMask()
    {
        using var scope = NewDisposeScope();
        var unseen = Counting.unsqueeze(0).ge(Seen.unsqueeze(1)); // [Rows, Keys]
        var mask = zeros(unseen.shape, Mask.dtype, Mask.device).masked_fill_(unseen, Scalars.Of(double.NegativeInfinity));
        Mask.view(2, Shape.Rows, 1, 1, -1).copy_(mask.view(1, Shape.Rows, 1, 1, -1));
    }

    public void Dispose()
    {
        Graph?.Dispose();
        foreach (var tensor in _all)
            tensor.Dispose();
    }
}
