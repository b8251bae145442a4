using LightTts.Torch;
using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Flow.DiT;

/// <summary>Rows of <see cref="DiTPages.Layer"/> at a step, of the first guidance row's blocks, then the second's; each is made when it is asked for,
/// as own kernels find them themselves.</summary>
/// <param name="buffers">Whose places they are.</param>
internal sealed class DiTPlaces(DiTStepBuffers buffers) : IDisposable
{
    private Tensor? _keys, _convolved, _own;

    /// <summary>[2 Rows Keys] what the blocks see.</summary>
    public Tensor Keys => _keys ??= Rows(buffers.KeyColumns!, buffers.KeyOffsets!);

    /// <summary>[2 Rows (ConvTail + Frames)] what the positional convolutions see.</summary>
    public Tensor Convolved => _convolved ??= Rows(buffers.ConvColumns!, buffers.ConvOffsets!);

    /// <summary>[2 Rows Frames] where the blocks' own frames go.</summary>
    public Tensor Own => _own ??= Rows(buffers.OwnColumns!, buffers.OwnOffsets!);

    /// <summary>Null where the shape is not paged.</summary>
    public static DiTPlaces? Of(DiTStepBuffers buffers) => buffers.Places is null ? null : new DiTPlaces(buffers);

    public void Dispose()
    {
        _keys?.Dispose();
        _convolved?.Dispose();
        _own?.Dispose();
    }

    private Tensor Rows(Tensor columns, Tensor offsets)
    {
        using var scope = NewDisposeScope();
        return buffers.Places!.index_select(1, columns).add(offsets, Scalars.One).view(-1).DetachFromDisposeScope();
    }
}
