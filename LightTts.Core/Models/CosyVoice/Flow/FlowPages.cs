using System.Runtime.InteropServices;
using LightTts.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Flow;

/// <summary>What an estimator keeps of a frame at one solver step: keys and values of both guidance rows in every layer.</summary>
internal readonly record struct FlowPageShape(int Layers, int Heads, int HeadDim)
{
    /// <summary>Numbers in a page. Solver steps are apart, so that it is of one size whatever their number.</summary>
    public long Elements(int frames) => 4L * Layers * Heads * HeadDim * frames;
}

/// <summary>How keys and values lie in the pool's pages, and the ways in and out.</summary>
/// <remarks>
/// A page holds one chunk's frames at one solver step: [Layers, 2 (keys, values), 2 (guidance rows), Heads, Frames, HeadDim]. Passes that
/// are kept end where chunks end, so pages are whole, and none is written to that others read: sharing needs no copies.
/// Attention wants a head's frames in one piece, so they are gathered; page by page, sums would be formed in another order.
/// </remarks>
internal abstract class FlowPages(FlowPagePool pool, FlowPageShape shape, int frames) : IDisposable
{
    public FlowPagePool Pool => pool;

    /// <summary>Frames in a page.</summary>
    public int Frames => frames;

    /// <summary>Pages in a pool of their own, where the device's memory lies.</summary>
    /// <param name="shape">What is kept of a frame.</param>
    /// <param name="frames">Frames in a page: those of a chunk.</param>
    /// <param name="device">Where they lie.</param>
    /// <param name="budget">Bytes that they may take together; null: <see cref="FlowPagePool.DefaultBudget"/>.</param>
    public static FlowPages Create(FlowPageShape shape, int frames, TorchDevice device, long? budget) =>
        device.IsCuda ? new DeviceFlowPages(new FlowPagePool(budget, shape.Elements(frames), device.Compute, device.Device), shape, frames)
            : HostFlowPages.Create(shape, frames, device.Compute, budget);

    /// <summary>Keys and values of pages, and behind them those of new frames.</summary>
    /// <param name="layer">Which block of the transformer.</param>
    /// <param name="table">The utterance's pages at the solver step.</param>
    /// <param name="before">Pages with the frames before the new ones.</param>
    /// <param name="keys">Of the new frames: [2, Heads, n, HeadDim], any strides.</param>
    /// <param name="values">The same.</param>
    /// <param name="fill">Pages behind them that take the new frames; 0 where they are not kept.</param>
    /// <param name="scratch">The pass's own.</param>
    /// <returns>[2, Heads, before Frames + n, HeadDim] each, good until the next call with this scratch.</returns>
    public abstract (Tensor Keys, Tensor Values) Join(int layer, FlowPageTable table, int before, Tensor keys, Tensor values, int fill,
        FlowScratch scratch);

    /// <summary>Copies of an utterance's first pages, in the caller's dispose scope.</summary>
    /// <returns>[count, Layers, 2, 2, Heads, Frames, HeadDim]</returns>
    public abstract Tensor Gather(FlowPageTable table, int count);

    /// <summary>Fills pages.</summary>
    /// <param name="table">The utterance's pages at the solver step.</param>
    /// <param name="before">Pages before those that are filled.</param>
    /// <param name="present">[Layers, 2, 2, Heads, n, HeadDim], n whole pages.</param>
    public void Fill(FlowPageTable table, int before, Tensor present)
    {
        using var scope = NewDisposeScope();
        var count = present.shape[4] / Frames;
        // [Layers, 2, 2, Heads, count, Frames, HeadDim] -> [count, Layers, 2, 2, Heads, Frames, HeadDim]
        FillPages(table, before, present.unflatten(4, count, Frames).permute(4, 0, 1, 2, 3, 5, 6));
    }

    public void Dispose() => pool.Dispose();

    protected abstract void FillPages(FlowPageTable table, int before, Tensor pages);

    protected FlowPageShape Shape => shape;
}

/// <summary>An utterance's pages at one solver step, in the order of its frames.</summary>
internal sealed class FlowPageTable : IDisposable
{
    private readonly List<int> _pages = [];
    private Tensor? _index;

    public int Count => _pages.Count;

    public ReadOnlySpan<int> Pages => CollectionsMarshal.AsSpan(_pages);

    public void Add(ReadOnlySpan<int> pages)
    {
        _pages.AddRange(pages);
        _index?.Dispose();
        _index = null;
    }

    /// <summary>The same on a device; the table keeps it.</summary>
    public Tensor Index(Device device) =>
        _index ??= tensor(_pages.ConvertAll(page => (long)page), device: device).DetachFromDisposeScope();

    public void Dispose()
    {
        _pages.Clear();
        _index?.Dispose();
        _index = null;
    }
}

/// <summary>Working memory of a pass: one layer's keys and values of one utterance.</summary>
internal sealed class FlowScratch : IDisposable
{
    private Tensor? _buffer;

    /// <summary>A tensor of that shape that is overwritten at the next call; in the caller's dispose scope.</summary>
    public Tensor Take(long[] shape, ScalarType type, Device device)
    {
        var elements = shape.Aggregate((a, b) => a * b);
        if (_buffer is null || _buffer.NumberOfElements < elements)
        {
            _buffer?.Dispose();
            _buffer = null; // there may be no memory for another
            _buffer = empty([elements], type, device).DetachFromDisposeScope();
        }
        using var part = _buffer.narrow(0, 0, elements);
        return part.view(shape);
    }

    public void Dispose()
    {
        _buffer?.Dispose();
        _buffer = null;
    }
}
