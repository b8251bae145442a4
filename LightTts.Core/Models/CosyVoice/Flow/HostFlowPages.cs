using LightTts.Cpu;
using LightTts.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Flow;

/// <summary>Pages in the processor's memory: plain copies, a head's frames of a page at a time.</summary>
internal sealed unsafe class HostFlowPages(FlowPagePool pool, FlowPageShape shape, int frames, ScalarType type) : FlowPages(pool, shape, frames)
{
    private readonly int _planes = 4 * shape.Heads; // keys and values, two guidance rows, heads
    private readonly long _frameBytes = (long)shape.HeadDim * Precisions.Bytes(type);

    /// <summary>Pages in a pool of their own.</summary>
    /// <param name="shape">What is kept of a frame.</param>
    /// <param name="frames">Frames in a page: those of a chunk.</param>
    /// <param name="type">Type of the numbers.</param>
    /// <param name="budget">Bytes that they may take together; null: <see cref="FlowPagePool.DefaultBudget"/>.</param>
    public static HostFlowPages Create(FlowPageShape shape, int frames, ScalarType type, long? budget) =>
        new(new FlowPagePool(budget, shape.Elements(frames), type, CPU), shape, frames, type);

    /// <summary>Whether they are kept as bfloat16, not in 32 bits.</summary>
    public bool IsHalf => type == Precisions.Half;

    /// <summary>Bytes of a frame's key or value of a head.</summary>
    public long FrameBytes => _frameBytes;

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
        var gathered = empty([count, Shape.Layers, 2, 2, Shape.Heads, Frames, Shape.HeadDim], type);
        var to = (byte*)gathered.Pointer();
        for (var i = 0; i < count; i++)
            Buffer.MemoryCopy((void*)Pool.Address(table.Pages[i]), to + i * Pool.PageBytes, Pool.PageBytes, Pool.PageBytes);
        return gathered;
    }

    protected override void FillPages(FlowPageTable table, int before, Tensor pages)
    {
        var from = pages.to(type, CPU).contiguous();
        var start = (byte*)from.Pointer();
        for (var i = 0; i < pages.shape[0]; i++)
            Buffer.MemoryCopy(start + i * Pool.PageBytes, (void*)Pool.Address(table.Pages[before + i]), Pool.PageBytes, Pool.PageBytes);
    }

    /// <summary>Where a head's frames of a page lie, [Frames, HeadDim].</summary>
    /// <param name="page">The page.</param>
    /// <param name="layer">Which block of the transformer.</param>
    /// <param name="values">Its values, not its keys.</param>
    /// <param name="row">Guidance row.</param>
    /// <param name="head">The head.</param>
    public byte* Plane(int page, int layer, bool values, int row, int head) =>
        Layer(page, layer) + (((values ? 2 : 0) + row) * Shape.Heads + head) * Frames * _frameBytes;

    /// <summary>Keeps a frame's key or value of a head at its place in a plane.</summary>
    public void Keep(float* from, byte* to)
    {
        if (IsHalf)
            HalfRows.Narrow(from, (ushort*)to, Shape.HeadDim);
        else
            Buffer.MemoryCopy(from, to, _frameBytes, _frameBytes);
    }

    private byte* Layer(int page, int layer) => (byte*)Pool.Address(page) + (long)layer * _planes * Frames * _frameBytes;

    /// <summary>Copies so many frames of every plane between places with so many frames a plane.</summary>
    private void Copy(byte* to, long toFrames, byte* from, long fromFrames, long count)
    {
        var bytes = count * _frameBytes;
        for (var plane = 0; plane < _planes; plane++)
            Buffer.MemoryCopy(from + plane * fromFrames * _frameBytes, to + plane * toFrames * _frameBytes, bytes, bytes);
    }
}
