using LightTts.Torch;
using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Flow.DiT;

/// <summary>How what is kept lies in the pool's pages on a device: frame by frame, so that a list of numbers says where any frames are.</summary>
/// <remarks>
/// A page holds one chunk's frames at one solver step: [Layers + 1, 2 (guidance rows), Frames, 2 (keys, values), Heads, HeadDim]. The last layer is
/// the input of the two positional convolutions, which needs as much room as a layer's keys and values. A frame of a layer is a row of
/// <see cref="Layer"/>. Behind the pool's own pages lie one of zeros, where everything that is padding reads, and working memory for frames that
/// are not kept: a layer overwrites what the layer before left there.
/// </remarks>
internal sealed class DiTPages : IDisposable
{
    private readonly FlowPageShape _shape;
    private readonly int _frames;
    private readonly int _scratch;
    private Tensor[] _layers = [];

    /// <param name="config">The transformer's shape.</param>
    /// <param name="frames">Frames in a page: those of a chunk.</param>
    /// <param name="device">Where they lie, and the type of what lies there.</param>
    /// <param name="budget">Bytes that the pages may take together; null: <see cref="FlowPagePool.DefaultBudget"/>.</param>
    public DiTPages(Files.DiTConfig config, int frames, TorchDevice device, long? budget)
    {
        _frames = frames;
        _shape = new FlowPageShape(config.Depth + 1, config.Heads, config.HeadDim);
        // Of the longest utterance all chunks fit, and of a full pass those that the shape pads it with.
        MaxBlocks = FlowNoise.Frames / frames + 64;
        _scratch = (MaxBlocks + _shape.Layers + _shape.Layers - 1) / _shape.Layers;
        Pool = new FlowPagePool(budget, _shape.Elements(frames), device.Compute, device.Device, reserved: 1 + _scratch);
    }

    public FlowPagePool Pool { get; }

    /// <summary>Chunks that may be computed at the same time.</summary>
    public int MaxBlocks { get; }

    /// <summary>Frames in a page.</summary>
    public int Frames => _frames;

    /// <summary>The row at which a place for the first guidance row's frames in the first layer begins: of zeros.</summary>
    public long Zero => Row(Pool.Capacity);

    /// <summary>Where a layer's frames lie, all pages' one after the other: [rows, 2 Heads HeadDim]. Rows count from a page's first layer.</summary>
    public Tensor Layer(int layer) => _layers[layer];

    /// <summary>The layer of the convolutions' inputs.</summary>
    public Tensor Convolutions => _layers[^1];

    /// <summary>As <see cref="Zero"/>: of a page.</summary>
    public long Row(int page) => (long)page * _shape.Layers * 2 * _frames;

    /// <summary>As <see cref="Zero"/>: of working memory for a block of frames.</summary>
    public long Scratch(int block) => Row(Pool.Capacity + 1) + 2L * block * _frames;

    /// <summary>Takes the memory, once.</summary>
    public void Allocate()
    {
        if (_layers.Length > 0)
            return;
        Pool.Allocate();
        using var scope = NewDisposeScope();
        Pool.Table.narrow(0, Pool.Capacity, 1 + _scratch).zero_();
        var rows = Pool.Table.view(-1, 2L * _shape.Heads * _shape.HeadDim);
        _layers = [.. Enumerable.Range(0, _shape.Layers).Select(layer =>
            rows.narrow(0, 2L * layer * _frames, rows.shape[0] - 2L * layer * _frames).DetachFromDisposeScope())];
    }

    public void Dispose()
    {
        foreach (var layer in _layers)
            layer.Dispose();
        _layers = [];
        Pool.Dispose();
    }
}
