using LightTts.Cuda;
using LightTts.Torch;
using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Flow.DiT;

/// <summary>What happens between the products of a transformer over batches of one shape, cut so that a piece can be one kernel.
/// Nothing in it may depend on values, as it is captured.</summary>
internal abstract class DiTOperations : IDisposable
{
    /// <summary>The fastest for a device.</summary>
    public static DiTOperations Create(Files.DiTConfig config, TorchDevice device) => OwnKernels.TryLoad(device, FlowKernels.Source,
        FlowKernels.Definitions(config.Dim, config.HeadDim, device.Compute == ScalarType.BFloat16)) is { } module
            ? new CudaDiTOperations(config, device, new FlowKernels(module, config.Heads,
                FlowKernels.AttendsIn(config.HeadDim, device.Compute == ScalarType.BFloat16)))
            : new TorchDiTOperations(config, device.Compute);

    /// <summary>Layer norm and modulation: [n, Dim] float32 -> the same in the type of the products.</summary>
    public abstract Tensor Normalise(Tensor h, Tensor scale, Tensor shift);

    /// <summary>Adds a gated branch to the residual stream in place: h += gate branch.</summary>
    public abstract void Add(Tensor h, Tensor branch, Tensor gate);

    /// <summary><see cref="Add"/>, then <see cref="Normalise"/>.</summary>
    public virtual Tensor AddAndNormalise(Tensor h, Tensor branch, Tensor gate, Tensor scale, Tensor shift)
    {
        Add(h, branch, gate);
        return Normalise(h, scale, shift);
    }

    /// <summary>Rotary positions, keys and values into their pages, attention over (block, pages).</summary>
    /// <param name="qkv">[2 Rows Frames, 3 Heads HeadDim], may be changed.</param>
    /// <param name="pages">The layer's rows, see <see cref="DiTPages.Layer"/>; null where the shape is not paged.</param>
    /// <param name="buffers">Mask and rotations.</param>
    /// <param name="places">Where frames lie; null where the shape is not paged.</param>
    /// <returns>[2 Rows Frames, Heads HeadDim].</returns>
    public abstract Tensor Attend(Tensor qkv, Tensor? pages, DiTStepBuffers buffers, DiTPlaces? places);

    /// <summary>The activation of the feed-forward part; may be in place.</summary>
    public abstract Tensor Gelu(Tensor up);

    public virtual void Dispose()
    {
    }
}

/// <summary>Rows of <see cref="DiTPages.Layer"/>, of the first guidance row's blocks, then the second's.</summary>
/// <param name="Keys">[2 Rows Keys] what the blocks see.</param>
/// <param name="Convolved">[2 Rows (ConvTail + Frames)] what the positional convolutions see.</param>
/// <param name="Own">[2 Rows Frames] where the blocks' own frames go.</param>
internal sealed record DiTPlaces(Tensor Keys, Tensor Convolved, Tensor Own)
{
    /// <summary>Of a step, in the caller's dispose scope.</summary>
    public static DiTPlaces? Of(DiTStepBuffers buffers) => buffers.Places is null ? null : new DiTPlaces(
        Rows(buffers, buffers.KeyColumns!, buffers.KeyOffsets!),
        Rows(buffers, buffers.ConvColumns!, buffers.ConvOffsets!),
        Rows(buffers, buffers.OwnColumns!, buffers.OwnOffsets!));

    private static Tensor Rows(DiTStepBuffers buffers, Tensor columns, Tensor offsets) =>
        buffers.Places!.index_select(1, columns).add(offsets, Scalars.One).view(-1);
}
