using static TorchSharp.torch;

namespace LightTts.Torch;

/// <summary>Pieces of work side by side on the CPU, each with its share of the threads.</summary>
/// <remarks>
/// libtorch can share out every single operation, but each costs a meeting of all
/// threads; pieces that need nothing of each other meet once, at the end. To be used by
/// one thread, which does the first piece itself.
/// </remarks>
/// <param name="threads">Threads of all lanes together; those of the calling thread when nothing is shared out.</param>
internal sealed class TorchLanes(int threads) : IDisposable
{
    private const int MaxLanes = 4;

    private readonly List<Lane> _lanes = [];
    private int _share; // threads that the calling thread was last given; setting them has its price

    /// <summary>Pieces that run at once, at the most.</summary>
    public int Count { get; } = Math.Clamp(threads, 1, MaxLanes);

    /// <summary>Does all pieces and returns when they are done. A single one gets all threads.</summary>
    /// <param name="pieces">At most <see cref="Count"/>.</param>
    /// <param name="piece">Does the piece of a number; handles its own exceptions.</param>
    public void Run(int pieces, Action<int> piece)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(pieces, Count);
        if (pieces == 0)
            return;
        var share = threads / pieces;
        if (share != _share)
            set_num_threads(_share = share);
        if (pieces == 1)
        {
            piece(0);
            return;
        }
        using var done = new CountdownEvent(pieces - 1);
        for (var i = 1; i < pieces; i++)
            LaneAt(i - 1).Start(piece, i, share, done);
        try
        {
            piece(0);
        }
        finally
        {
            done.Wait();
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
        private Action<int>? _piece;
        private CountdownEvent? _done;
        private int _number;
        private int _threads;

        public Lane(string name) => new Thread(Loop) { Name = name, IsBackground = true }.UnsafeStart();

        public void Start(Action<int> piece, int number, int threads, CountdownEvent done)
        {
            (_piece, _number, _threads, _done) = (piece, number, threads, done);
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
                    _piece(_number);
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
