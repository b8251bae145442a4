using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Flow;

/// <summary>What a chunk-causal utterance keeps of the frames behind it, at every solver
/// step: the pages with each layer's keys and values, and the left context of each
/// convolution. With it no frame is computed twice; there is no smaller exact
/// state, as attention reaches back to the first frame.</summary>
internal sealed class FlowCache(int steps, int convolutions, FlowPages store) : FlowPageCache(steps, store.Pool, store.Frames)
{
    private readonly Tensor?[,] _tails = new Tensor?[steps, convolutions];
    private readonly Tensor?[,] _pending = new Tensor?[steps, convolutions];

    public override long Bytes
    {
        get
        {
            var bytes = base.Bytes;
            foreach (var tail in _tails)
                bytes += tail is null ? 0 : tail.NumberOfElements * tail.ElementSize;
            return bytes;
        }
    }

    /// <summary>Gives back the keys and values of all frames to the end of new ones, which are kept unless they are the last.</summary>
    /// <param name="step">Solver step.</param>
    /// <param name="layer">Transformer block.</param>
    /// <param name="at">Frames before the new ones: whole pages.</param>
    /// <param name="keys">[2, Heads, n, HeadDim], any strides.</param>
    /// <param name="values">[2, Heads, n, HeadDim].</param>
    /// <param name="last">Whether nothing will follow; then there need be no room for them.</param>
    /// <param name="scratch">The pass's working memory.</param>
    /// <returns>[2, Heads, at + n, HeadDim], good until the scratch is used again.</returns>
    public (Tensor Keys, Tensor Values) Append(int step, int layer, int at, Tensor keys, Tensor values, bool last, FlowScratch scratch)
    {
        var fill = last ? 0 : (int)keys.shape[2] / store.Frames;
        return store.Join(layer, Pages(step), at / store.Frames, keys, values, fill, scratch);
    }

    /// <summary>All that is kept of the frames before a pass at a step: [pages, Layers, 2 (keys, values), 2 (guidance rows), Heads, Frames, HeadDim],
    /// in the caller's dispose scope.</summary>
    public Tensor Past(int step, int frames) => store.Gather(Pages(step), frames / store.Frames);

    /// <summary>Keeps new frames of a pass that is not the last.</summary>
    /// <param name="step">Solver step.</param>
    /// <param name="at">Frames before them: whole pages.</param>
    /// <param name="present">[Layers, 2, 2, Heads, n, HeadDim], whole pages.</param>
    public void Keep(int step, int at, Tensor present) => store.Fill(Pages(step), at / store.Frames, present);

    /// <summary>A convolution's left context at a step; null before the first frame.</summary>
    public Tensor? Tail(int step, int convolution) => _tails[step, convolution];

    /// <summary>Sets the left context for the next pass. It counts from <see cref="Commit"/>
    /// on, so that a pass that failed half-way can be run again.</summary>
    public void SetTail(int step, int convolution, Tensor tail)
    {
        _pending[step, convolution]?.Dispose();
        _pending[step, convolution] = tail.DetachFromDisposeScope();
    }

    /// <summary>The pass succeeded.</summary>
    public override void Commit()
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

    public override void Dispose()
    {
        base.Dispose();
        foreach (var tails in (Tensor?[][,])[_tails, _pending])
        {
            foreach (var tail in tails)
                tail?.Dispose();
            Array.Clear(tails);
        }
    }
}
