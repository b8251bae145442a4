using LightTts.Cuda;
using LightTts.Torch;
using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Flow.DiT;

/// <summary>What happens between the products of a transformer over batches of one shape, cut so that a piece can be one kernel.
/// Nothing in it may depend on values, as it is captured.</summary>
internal abstract class DiTOperations : IDisposable
{
    /// <summary>The fastest for a device.</summary>
    /// <param name="config">The transformer's shape.</param>
    /// <param name="mel">Bands of the mel.</param>
    /// <param name="pageFrames">Frames of a page.</param>
    /// <param name="device">Where it runs.</param>
    public static DiTOperations Create(Files.DiTConfig config, int mel, int pageFrames, TorchDevice device)
    {
        var shape = new FlowKernelShape(config.Dim, config.Heads, config.Dim * config.FeedForwardMultiple, mel, pageFrames,
            device.Compute == ScalarType.BFloat16);
        return OwnKernels.TryLoad(device, FlowKernels.Sources, shape.Definitions) is { } module
            ? new CudaDiTOperations(config, device, new FlowKernels(module, shape, CudaDriver.SharedBytes(device.Device.index)))
            : new TorchDiTOperations(config, device.Compute);
    }

    /// <summary>Layer norm and modulation: [n, Dim] float32 -> the same in the type of the products.</summary>
    public abstract Tensor Normalise(Tensor h, Tensor scale, Tensor shift);

    /// <summary>Adds a gated branch to the residual stream in place: h += gate branch.</summary>
    public abstract void Add(Tensor h, Tensor branch, Tensor gate);

    /// <summary>Adds attention's branch and normalises for the feed-forward part. Whether the residual stream holds the branch before
    /// <see cref="AddBoth"/> is the implementation's own affair.</summary>
    public virtual Tensor AddAttended(Tensor h, Tensor attended, DiTModulation block)
    {
        Add(h, attended, block.Gate1);
        return Normalise(h, block.Scale2, block.Shift2);
    }

    /// <summary>Adds the feed-forward part's branch, and attention's where it is not there yet, and normalises for the next block.</summary>
    public virtual Tensor AddBoth(Tensor h, Tensor attended, Tensor down, DiTModulation block, DiTModulation next)
    {
        AddLast(h, attended, down, block);
        return Normalise(h, next.Scale1, next.Shift1);
    }

    /// <summary>The same of the last block: nothing is normalised.</summary>
    public virtual void AddLast(Tensor h, Tensor attended, Tensor down, DiTModulation block) => Add(h, down, block.Gate2);

    /// <summary>Rotary positions, keys and values into their pages, attention over (block, pages).</summary>
    /// <param name="qkv">[2 Rows Frames, 3 Heads HeadDim], may be changed.</param>
    /// <param name="pages">The layer's rows, see <see cref="DiTPages.Layer"/>; null where the shape is not paged.</param>
    /// <param name="buffers">Mask and rotations.</param>
    /// <param name="places">Where frames lie; null where the shape is not paged.</param>
    /// <returns>[2 Rows Frames, Heads HeadDim].</returns>
    public abstract Tensor Attend(Tensor qkv, Tensor? pages, DiTStepBuffers buffers, DiTPlaces? places);

    /// <summary>A product.</summary>
    public virtual Tensor Multiply(Linear product, Tensor x) => product.Apply(x);

    /// <summary>The feed-forward part's first product and GELU.</summary>
    public virtual Tensor Up(Linear up, Tensor normalised) => up.Apply(normalised).gelu_(TorchSharp.Modules.GELU.Approximate.tanh);

    public virtual void Dispose()
    {
    }
}
