using LightTts.Models.CosyVoice.Flow.DiT;
using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Flow.UNet;

/// <summary>What a chunk-causal utterance keeps of the frames behind it, at every solver step: each transformer block's keys and values, and the
/// two frames before of each convolution.</summary>
internal sealed class UNetCache : IFlowCache
{
    private readonly DiTKeyValues[,] _blocks; // [step, block]
    private readonly Tensor?[,] _tails; // [step, convolution]
    private readonly Tensor?[,] _pending;

    public UNetCache(int steps, UNetWeights weights, ScalarType type, Device device)
    {
        _blocks = new DiTKeyValues[steps, weights.Blocks];
        for (var step = 0; step < steps; step++)
            for (var block = 0; block < weights.Blocks; block++)
                _blocks[step, block] = new DiTKeyValues(weights.Config.Heads, weights.Config.HeadDim, type, device);
        _tails = new Tensor?[steps, weights.Convolutions];
        _pending = new Tensor?[steps, weights.Convolutions];
    }

    public long Bytes
    {
        get
        {
            long bytes = 0;
            foreach (var block in _blocks)
                bytes += block.Bytes;
            foreach (var tail in _tails)
                bytes += tail is null ? 0 : tail.NumberOfElements * tail.ElementSize;
            return bytes;
        }
    }

    public DiTKeyValues Block(int step, int block) => _blocks[step, block];

    /// <summary>A convolution's left context at a step, [2, Tail, Channels]; null before the first frame.</summary>
    public Tensor? Tail(int step, int convolution) => _tails[step, convolution];

    /// <summary>Sets the left context for the next pass. It counts from <see cref="Commit"/> on, so that a pass that failed half-way can be run
    /// again.</summary>
    public void SetTail(int step, int convolution, Tensor tail)
    {
        _pending[step, convolution]?.Dispose();
        _pending[step, convolution] = tail.DetachFromDisposeScope();
    }

    public void Commit()
    {
        for (var step = 0; step < _tails.GetLength(0); step++)
            for (var convolution = 0; convolution < _tails.GetLength(1); convolution++)
            {
                if (_pending[step, convolution] is not { } tail)
                    continue;
                _tails[step, convolution]?.Dispose();
                (_tails[step, convolution], _pending[step, convolution]) = (tail, null);
            }
    }

    public void Dispose()
    {
        foreach (var block in _blocks)
            block.Dispose();
        foreach (var tails in (Tensor?[][,])[_tails, _pending])
        {
            foreach (var tail in tails)
                tail?.Dispose();
            Array.Clear(tails);
        }
    }
}
