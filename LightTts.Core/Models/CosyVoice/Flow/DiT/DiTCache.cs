using LightTts.Models.CosyVoice.Files;
using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Flow.DiT;

/// <summary>What a chunk-causal utterance keeps of the frames behind it, at every solver
/// step: each layer's keys and values, and the left context of the two
/// positional convolutions. With it no frame is computed twice; there is no smaller exact
/// state, as attention reaches back to the first frame.</summary>
internal sealed class DiTCache : IFlowCache
{
    private readonly DiTKeyValues[,] _layers; // [step, layer]
    private readonly (Tensor First, Tensor Second)?[] _tails;
    private readonly (Tensor First, Tensor Second)?[] _pending;

    public DiTCache(int steps, DiTConfig config, ScalarType type, Device device)
    {
        _layers = new DiTKeyValues[steps, config.Depth];
        for (var step = 0; step < steps; step++)
            for (var layer = 0; layer < config.Depth; layer++)
                _layers[step, layer] = new DiTKeyValues(config.Heads, config.HeadDim, type, device);
        _tails = new (Tensor, Tensor)?[steps];
        _pending = new (Tensor, Tensor)?[steps];
    }

    public long Bytes
    {
        get
        {
            long bytes = 0;
            foreach (var layer in _layers)
                bytes += layer.Bytes;
            foreach (var tails in _tails)
                bytes += tails is { } t ? (t.First.NumberOfElements + t.Second.NumberOfElements) * t.First.ElementSize : 0;
            return bytes;
        }
    }

    public DiTKeyValues Layer(int step, int layer) => _layers[step, layer];

    /// <summary>Left context of the two convolutions at a step, each [2, Dim, ConvTail]; null before the first frame.</summary>
    public (Tensor First, Tensor Second)? Tails(int step) => _tails[step];

    /// <summary>Sets the left context for the next pass. It counts from <see cref="Commit"/>
    /// on, so that a pass that failed half-way can be run again.</summary>
    public void SetTails(int step, Tensor first, Tensor second)
    {
        Free(ref _pending[step]);
        _pending[step] = (first.DetachFromDisposeScope(), second.DetachFromDisposeScope());
    }

    /// <summary>The pass succeeded.</summary>
    public void Commit()
    {
        for (var step = 0; step < _tails.Length; step++)
        {
            if (_pending[step] is null)
                continue;
            Free(ref _tails[step]);
            _tails[step] = _pending[step];
            _pending[step] = null;
        }
    }

    public void Dispose()
    {
        foreach (var layer in _layers)
            layer.Dispose();
        for (var step = 0; step < _tails.Length; step++)
        {
            Free(ref _tails[step]);
            Free(ref _pending[step]);
        }
    }

    private static void Free(ref (Tensor First, Tensor Second)? tails)
    {
        tails?.First.Dispose();
        tails?.Second.Dispose();
        tails = null;
    }
}
