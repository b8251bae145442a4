using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Flow;

/// <summary>What a chunk-causal utterance keeps of the frames behind it, at every solver
/// step: the pages with each layer's keys and values, and the left context of each
/// convolution. With it no frame is computed twice; there is no smaller exact
/// state, as attention reaches back to the first frame.</summary>
internal sealed class FlowCache : IFlowCache
{
    private readonly FlowPages _store;
    private readonly FlowPageTable[] _pages; // [step]
    private readonly Tensor?[,] _tails; // [step, convolution]
    private readonly Tensor?[,] _pending;
    private int _shared; // of a step's pages, those that it was given by another

    public FlowCache(int steps, int convolutions, FlowPages store)
    {
        _store = store;
        _pages = [.. Enumerable.Range(0, steps).Select(_ => new FlowPageTable())];
        _tails = new Tensor?[steps, convolutions];
        _pending = new Tensor?[steps, convolutions];
    }

    public long Bytes
    {
        get
        {
            var bytes = OwnPages * _store.Pool.PageBytes;
            foreach (var tail in _tails)
                bytes += tail is null ? 0 : tail.NumberOfElements * tail.ElementSize;
            return bytes;
        }
    }

    public long OwnPages => (long)_pages.Length * (_pages[0].Count - _shared);

    public int PagesFor(int frames, IFlowCache? shared)
    {
        var pages = (frames + _store.Frames - 1) / _store.Frames;
        return _pages.Length * Math.Max(0, pages - Math.Max(_pages[0].Count, (shared as FlowCache)?._pages[0].Count ?? 0));
    }

    public bool TryReserve(int frames, IFlowCache? shared)
    {
        var missing = new int[PagesFor(frames, shared)];
        if (!_store.Pool.TryTake(missing))
            return false;
        if (shared is FlowCache other && _pages[0].Count == 0)
        {
            for (var step = 0; step < _pages.Length; step++)
                Share(_pages[step], other._pages[step]);
            _shared = _pages[0].Count;
        }
        var each = missing.Length / _pages.Length;
        for (var step = 0; step < _pages.Length; step++)
            _pages[step].Add(missing.AsSpan(step * each, each));
        return true;
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
        var fill = last ? 0 : (int)keys.shape[2] / _store.Frames;
        return _store.Join(layer, _pages[step], at / _store.Frames, keys, values, fill, scratch);
    }

    /// <summary>All that is kept of the frames before a pass at a step: [pages, Layers, 2 (keys, values), 2 (guidance rows), Heads, Frames, HeadDim],
    /// in the caller's dispose scope.</summary>
    public Tensor Past(int step, int frames) => _store.Gather(_pages[step], frames / _store.Frames);

    /// <summary>Keeps new frames of a pass that is not the last.</summary>
    /// <param name="step">Solver step.</param>
    /// <param name="at">Frames before them: whole pages.</param>
    /// <param name="present">[Layers, 2, 2, Heads, n, HeadDim], whole pages.</param>
    public void Keep(int step, int at, Tensor present) => _store.Fill(_pages[step], at / _store.Frames, present);

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
        foreach (var pages in _pages)
        {
            _store.Pool.Release(pages.Pages);
            pages.Dispose();
        }
        foreach (var tails in (Tensor?[][,])[_tails, _pending])
        {
            foreach (var tail in tails)
                tail?.Dispose();
            Array.Clear(tails);
        }
        _shared = 0;
    }

    private void Share(FlowPageTable own, FlowPageTable others)
    {
        _store.Pool.Hold(others.Pages);
        own.Add(others.Pages);
    }
}
