using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Flow.DiT;

/// <summary>What a chunk-causal utterance keeps of the frames behind it, at every solver
/// step: the pages with each layer's keys (rotated) and values, and the left context of the two
/// positional convolutions. With it no frame is computed twice; there is no smaller exact
/// state, as attention reaches back to the first frame.</summary>
internal sealed class DiTCache : IFlowCache
{
    private readonly DiTPages _store;
    private readonly DiTPageTable[] _pages; // [step]
    private readonly (Tensor First, Tensor Second)?[] _tails;
    private readonly (Tensor First, Tensor Second)?[] _pending;
    private int _shared; // of a step's pages, those that it was given by another

    public DiTCache(int steps, DiTPages store)
    {
        _store = store;
        _pages = [.. Enumerable.Range(0, steps).Select(_ => new DiTPageTable())];
        _tails = new (Tensor, Tensor)?[steps];
        _pending = new (Tensor, Tensor)?[steps];
    }

    public long Bytes
    {
        get
        {
            var bytes = OwnPages * _store.Pool.PageBytes;
            foreach (var tails in _tails)
                bytes += tails is { } t ? (t.First.NumberOfElements + t.Second.NumberOfElements) * t.First.ElementSize : 0;
            return bytes;
        }
    }

    public long OwnPages => (long)_pages.Length * (_pages[0].Count - _shared);

    public int PagesFor(int frames, IFlowCache? shared)
    {
        var pages = (frames + _store.Frames - 1) / _store.Frames;
        return _pages.Length * Math.Max(0, pages - Math.Max(_pages[0].Count, (shared as DiTCache)?._pages[0].Count ?? 0));
    }

    public bool TryReserve(int frames, IFlowCache? shared)
    {
        var missing = new int[PagesFor(frames, shared)];
        if (!_store.Pool.TryTake(missing))
            return false;
        if (shared is DiTCache other && _pages[0].Count == 0)
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
    public (Tensor Keys, Tensor Values) Append(int step, int layer, int at, Tensor keys, Tensor values, bool last, DiTScratch scratch)
    {
        var fill = last ? 0 : (int)keys.shape[2] / _store.Frames;
        return _store.Join(layer, _pages[step], at / _store.Frames, keys, values, fill, scratch);
    }

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
        for (var step = 0; step < _pages.Length; step++)
        {
            _store.Pool.Release(_pages[step].Pages);
            _pages[step].Dispose();
            Free(ref _tails[step]);
            Free(ref _pending[step]);
        }
        _shared = 0;
    }

    private void Share(DiTPageTable own, DiTPageTable others)
    {
        _store.Pool.Hold(others.Pages);
        own.Add(others.Pages);
    }

    private static void Free(ref (Tensor First, Tensor Second)? tails)
    {
        tails?.First.Dispose();
        tails?.Second.Dispose();
        tails = null;
    }
}
