using static TorchSharp.torch;

namespace LightTts.Torch;

/// <summary>Pieces of work side by side on the CPU, each with its share of the threads.</summary>
/// <remarks>
/// libtorch can share out every single operation, but each costs a meeting of all threads; pieces that need nothing of each other meet once, at the end. To be used by
/// one thread, which does the first piece itself.
/// </remarks>
/// <param name="threads">Threads of all lanes together; those of the calling thread when nothing is shared out.</param>
internal sealed class TorchLanes(int threads) : IDisposable
{
    private const int MaxLanes = 4;
    private const int IdleTurn = 5; // milliseconds

    private readonly List<Lane> _lanes = [];
    private bool _busy;

    /// <summary>Pieces that run at once, at the most.</summary>
    public int Count { get; } = Math.Clamp(threads, 1, MaxLanes);

    /// <summary>Does all pieces and returns when they are done. A single one gets all threads; so does every one while other pieces run in which this is called again.</summary>
    /// <param name="pieces">At most <see cref="Count"/>; they handle their own exceptions.</param>
    /// <param name="idle">What the calling thread does now and then while it waits for the other lanes; must not throw.</param>
    public void Run(IReadOnlyList<Action> pieces, Action? idle = null)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(pieces.Count, Count);
        if (pieces.Count < 2 || _busy)
        {
            foreach (var piece in pieces)
                piece();
            return;
        }
        _busy = true;
        var share = threads / pieces.Count;
        using var done = new CountdownEvent(pieces.Count - 1);
        for (var i = 1; i < pieces.Count; i++)
            LaneAt(i - 1).Start(pieces[i], share, done);
        set_num_threads(share);
        try
        {
            pieces[0]();
        }
        finally
        {
            while (!done.Wait(IdleTurn))
                idle?.Invoke();
            set_num_threads(threads);
            _busy = false;
        }
    }

    public void Dispose()
    {
        foreach (var lane in _lanes)
            lane.Dispose();
    }

    private Lane LaneAt(int index)
    {
        while (_lanes.Count <= index)
            _lanes.Add(new Lane($"LightTts decode {_lanes.Count + 2}"));
        return _lanes[index];
    }

    private sealed class Lane : IDisposable
    {
        private readonly SemaphoreSlim _work = new(0);
        private Action? _piece;
        private CountdownEvent? _done;
        private int _threads;

        public Lane(string name) => new Thread(Loop) { Name = name, IsBackground = true }.UnsafeStart();

        public void Start(Action piece, int threads, CountdownEvent done)
        {
            (_piece, _threads, _done) = (piece, threads, done);
            _work.Release();
        }

        public void Dispose()
        {
            _piece = null;
            _work.Release();
        }

        private void Loop()
        {
            var set = 0;
            using var inference = inference_mode();
            while (true)
            {
                _work.Wait();
                if (_piece is null)
                    return;
                if (set != _threads)
                    set_num_threads(set = _threads);
                try
                {
                    _piece();
                }
                finally
                {
                    _piece = null;
                    _done!.Signal();
                }
            }
        }
    }
}
