using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Flow;

/// <summary>Pages in a device's memory, all in one table: a fixed number of operations however many pages there are.</summary>
internal sealed class DeviceFlowPages(FlowPagePool pool, FlowPageShape shape, int frames) : FlowPages(pool, shape, frames)
{
    public override (Tensor Keys, Tensor Values) Join(int layer, FlowPageTable table, int before, Tensor keys, Tensor values, int fill,
        FlowScratch scratch)
    {
        long past = before * Frames, count = keys.shape[2];
        var joined = scratch.Take([2, 2, Shape.Heads, past + count, Shape.HeadDim], keys.dtype, keys.device);
        joined.narrow(3, past, count).select(0, 0).copy_(keys);
        joined.narrow(3, past, count).select(0, 1).copy_(values);
        if (before > 0)
        {
            var kept = Layer(layer).index_select(0, table.Index(keys.device).narrow(0, 0, before)); // [pages, 2, 2, Heads, Frames, HeadDim]
            Chunks(joined, 0, before).copy_(kept);
        }
        if (fill > 0)
            Layer(layer).index_copy_(0, table.Index(keys.device).narrow(0, before, fill), Chunks(joined, past, fill));
        return (joined[0], joined[1]);
    }

    public override Tensor Gather(FlowPageTable table, int count) =>
        Pool.Table.index_select(0, table.Index(Pool.Table.device).narrow(0, 0, count))
            .view(count, Shape.Layers, 2, 2, Shape.Heads, Frames, Shape.HeadDim);

    protected override void FillPages(FlowPageTable table, int before, Tensor pages) =>
        Pool.Table.index_copy_(0, table.Index(Pool.Table.device).narrow(0, before, pages.shape[0]),
            pages.to(Pool.Table.dtype, Pool.Table.device).flatten(1));

    /// <summary>[pages, 2, 2, Heads, Frames, HeadDim]</summary>
    private Tensor Layer(int layer) =>
        Pool.Table.view(-1, Shape.Layers, 2, 2, Shape.Heads, Frames, Shape.HeadDim).select(1, layer);

    /// <summary>[2, 2, Heads, length, HeadDim] -> [count, 2, 2, Heads, Frames, HeadDim], a view.</summary>
    private Tensor Chunks(Tensor joined, long start, int count) =>
        joined.narrow(3, start, (long)count * Frames).unflatten(3, count, Frames).permute(3, 0, 1, 2, 4, 5);
}
