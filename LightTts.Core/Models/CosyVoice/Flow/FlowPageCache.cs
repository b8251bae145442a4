namespace LightTts.Models.CosyVoice.Flow;

/// <summary>The pages in which an utterance's frames are kept, apart for every solver step, whatever the estimator puts into them.</summary>
/// <param name="steps">Solver steps.</param>
/// <param name="pool">Where the pages come from.</param>
/// <param name="frames">Frames in a page.</param>
internal class FlowPageCache(int steps, FlowPagePool pool, int frames) : IFlowCache
{
    private readonly FlowPageTable[] _pages = [.. Enumerable.Range(0, steps).Select(_ => new FlowPageTable())]; // [step]
    private int _shared; // of a step's pages, those that it was given by another

    public virtual long Bytes => OwnPages * pool.PageBytes;

    public long OwnPages => (long)_pages.Length * (_pages[0].Count - _shared);

    public int PagesFor(int frameCount, IFlowCache? shared)
    {
        var pages = (frameCount + frames - 1) / frames;
        return _pages.Length * Math.Max(0, pages - Math.Max(_pages[0].Count, (shared as FlowPageCache)?._pages[0].Count ?? 0));
    }

    public bool TryReserve(int frameCount, IFlowCache? shared)
    {
        var missing = new int[PagesFor(frameCount, shared)];
        if (!pool.TryTake(missing))
            return false;
        if (shared is FlowPageCache other && _pages[0].Count == 0)
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

    /// <summary>The utterance's pages at a step, in the order of its frames.</summary>
    public FlowPageTable Pages(int step) => _pages[step];

    /// <inheritdoc/>
    /// <remarks>Frames in pages are there once they are written; what a pass that failed wrote is written again.</remarks>
    public virtual void Commit()
    {
    }

    public virtual void Dispose()
    {
        foreach (var pages in _pages)
        {
            pool.Release(pages.Pages);
            pages.Dispose();
        }
        _shared = 0;
    }

    private void Share(FlowPageTable own, FlowPageTable others)
    {
        pool.Hold(others.Pages);
        own.Add(others.Pages);
    }
}
