using LightTts.Cpu;
using LightTts.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Flow;

/// <summary>Pages in the processor's memory: plain copies, a head's frames of a page at a time.</summary>
/// <param name="pool">Theirs.</param>
/// <param name="shape">What is kept of a frame.</param>
/// <param name="frames">Frames in a page.</param>
/// <param name="type">Type of the numbers; 8-bit ones have a scale for each key and value (<see cref="KeptRows.Bytes"/>).</param>
internal sealed unsafe class HostFlowPages(FlowPagePool pool, FlowPageShape shape, int frames, ScalarType type) : FlowPages(pool, shape, frames)
{
    private readonly int _planes = 4 * shape.Heads; // keys and values, two guidance rows, heads
    private readonly long _frameBytes = RowsOf(type).Size(shape.HeadDim);

    /// <summary>Pages in a pool of their own.</summary>
    /// <param name="shape">What is kept of a frame.</param>
    /// <param name="frames">Frames in a page: those of a chunk.</param>
    /// <param name="type">Type of the numbers.</param>
    /// <param name="budget">Bytes that they may take together; null: <see cref="FlowPagePool.DefaultBudget"/>.</param>
    public static HostFlowPages Create(FlowPageShape shape, int frames, ScalarType type, long? budget)
    {
        var pageBytes = shape.Elements(frames) / shape.HeadDim * RowsOf(type).Size(shape.HeadDim);
        // Whatever the numbers are, the pool hands out room for floats.
        return new(new FlowPagePool(budget, (pageBytes + sizeof(float) - 1) / sizeof(float), ScalarType.Float32, CPU), shape, frames, type);
    }

    /// <summary>How a key or a value is kept.</summary>
    public KeptRows Rows { get; } = RowsOf(type);

    public override (Tensor Keys, Tensor Values) Join(int layer, FlowPageTable table, int before, Tensor keys, Tensor values, int fill,
        FlowScratch scratch)
    {
        long past = before * Frames, count = keys.shape[2], length = past + count;
        var joined = scratch.Take([2, 2, Shape.Heads, length, Shape.HeadDim], type, keys.device);
        var start = (byte*)joined.Pointer();
        for (var i = 0; i < before; i++)
            Copy(start + (long)i * Frames * _frameBytes, length, Layer(table.Pages[i], layer), Frames, Frames);
        var (allKeys, allValues) = (joined[0], joined[1]);
        allKeys.narrow(2, past, count).copy_(keys);
        allValues.narrow(2, past, count).copy_(values);
        for (var i = 0; i < fill; i++)
            Copy(Layer(table.Pages[before + i], layer), Frames, start + (past + (long)i * Frames) * _frameBytes, length, Frames);
        return (allKeys, allValues);
    }

    public override Tensor Gather(FlowPageTable table, int count)
    {
        var gathered = empty([count, Shape.Layers, 2, 2, Shape.Heads, Frames, Shape.HeadDim]);
        var to = gathered.Pointer();
        for (var i = 0; i < count; i++)
            for (var vector = 0; vector < Vectors; vector++, to += Shape.HeadDim)
                Rows.Read((byte*)Pool.Address(table.Pages[i]) + vector * _frameBytes, to, Shape.HeadDim);
        return gathered;
    }

    protected override void FillPages(FlowPageTable table, int before, Tensor pages)
    {
        var all = pages.to(ScalarType.Float32, CPU).contiguous();
        var from = all.Pointer();
        for (var i = 0; i < pages.shape[0]; i++)
            for (var vector = 0; vector < Vectors; vector++, from += Shape.HeadDim)
                Rows.Write(from, (byte*)Pool.Address(table.Pages[before + i]) + vector * _frameBytes, Shape.HeadDim);
    }

    /// <summary>Keys and values of a page.</summary>
    private int Vectors => Shape.Layers * _planes * Frames;

    /// <summary>Where a frame's key or value of a head lies.</summary>
    /// <param name="page">The page.</param>
    /// <param name="layer">Which block of the transformer.</param>
    /// <param name="values">Its value, not its key.</param>
    /// <param name="row">Guidance row.</param>
    /// <param name="head">The head.</param>
    /// <param name="frame">The frame, in the page.</param>
    public byte* Place(int page, int layer, bool values, int row, int head, int frame) =>
        Layer(page, layer) + ((((values ? 2 : 0) + row) * Shape.Heads + head) * Frames + frame) * _frameBytes;

    private static KeptRows RowsOf(ScalarType type) => type switch
    {
        ScalarType.Float32 => KeptRows.Singles,
        Precisions.Half => KeptRows.Halves,
        ScalarType.Int8 => KeptRows.Bytes,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "Keys and values are not kept in this type."),
    };

    private byte* Layer(int page, int layer) => (byte*)Pool.Address(page) + (long)layer * _planes * Frames * _frameBytes;

    /// <summary>Copies so many frames of every plane between places with so many frames a plane.</summary>
    private void Copy(byte* to, long toFrames, byte* from, long fromFrames, long count)
    {
        var bytes = count * _frameBytes;
        for (var plane = 0; plane < _planes; plane++)
            Buffer.MemoryCopy(from + plane * fromFrames * _frameBytes, to + plane * toFrames * _frameBytes, bytes, bytes);
    }
}
