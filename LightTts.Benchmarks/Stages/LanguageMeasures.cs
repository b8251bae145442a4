using System.Diagnostics;
using LightTts.Models;
using LightTts.Models.CosyVoice.Language;

namespace LightTts.Benchmarks.Stages;

/// <summary>Times of a language model's steps, sampling included, as the language stage takes them.</summary>
/// <param name="model">Used on its own thread only.</param>
/// <param name="clock">Takes the time.</param>
internal sealed class LanguageMeasures(LanguageModel model, PassClock clock)
{
    private const int Warm = 8; // steps of a batch before those that count
    private const int Counted = 48;

    private readonly Random _random = new(1);

    /// <summary>A step of so many sequences that have about so many positions.</summary>
    public Series Step(int rows, int positions) => clock.Take(values =>
        Decode(rows, positions, batch => values.Add(clock.Step(() =>
        {
            batch.Launch();
            batch.Collect();
        }))));

    /// <summary>Whether steps are launched behind others.</summary>
    public bool GoesAhead
    {
        get
        {
            using var batch = new Batch(model, 1, _random);
            batch.Begin();
            batch.Launch();
            var can = model.CanFollow;
            batch.Collect();
            return can;
        }
    }

    /// <summary>A step of so many sequences where the next one is launched before it is collected: from one's tokens to the next one's.</summary>
    public Series StepAhead(int rows, int positions) => clock.Take(values =>
    {
        var last = 0L;
        Decode(rows, positions, batch =>
        {
            batch.Follow();
            batch.Collect();
            var now = Stopwatch.GetTimestamp();
            if (last > 0)
                values.Add(Stopwatch.GetElapsedTime(last, now).TotalMilliseconds);
            last = now;
        }, begin: batch => batch.Launch(), end: batch => batch.Collect());
    });

    /// <summary>Microseconds of a step in which the host works for it, not counting how long it waits for the device, and bytes that it
    /// allocates.</summary>
    public (Series Microseconds, Series Bytes) Host(int rows, int positions)
    {
        List<double> bytes = [];
        var time = clock.Take(values => Decode(rows, positions, batch =>
        {
            clock.Synchronize();
            var before = GC.GetAllocatedBytesForCurrentThread();
            var started = Stopwatch.GetTimestamp();
            batch.Launch();
            var launched = Stopwatch.GetElapsedTime(started);
            clock.Synchronize(); // what Collect would otherwise wait for
            started = Stopwatch.GetTimestamp();
            batch.Collect();
            values.Add((launched + Stopwatch.GetElapsedTime(started)).TotalMicroseconds);
            bytes.Add(GC.GetAllocatedBytesForCurrentThread() - before);
        }));
        return (time, new Series(SpeakCommand.Median(bytes), bytes.Min(), bytes.Count));
    }

    /// <summary>So many prompts of so many positions, until the first token of each is drawn.</summary>
    public Series Prompt(int rows, int positions) => clock.Take(values =>
    {
        using var batch = new Batch(model, rows, _random);
        values.Add(clock.Pass(() => batch.Feed(positions, draw: true)));
    });

    private void Decode(int rows, int positions, Action<Batch> step, Action<Batch>? begin = null, Action<Batch>? end = null)
    {
        using var batch = new Batch(model, rows, _random);
        batch.Feed(Math.Max(1, positions - Warm - Counted / 2), draw: false);
        batch.Begin();
        for (var i = 0; i < Warm; i++)
        {
            batch.Launch();
            batch.Collect();
        }
        begin?.Invoke(batch);
        for (var i = 0; i < Counted; i++)
            step(batch);
        end?.Invoke(batch);
    }

    /// <summary>Sequences that go on side by side.</summary>
    private sealed class Batch : IDisposable
    {
        private readonly LanguageModel _model;
        private readonly Random _random;
        private LanguageRow[] _rows;
        private LanguageRow[] _next; // of the step behind the one under way
        private readonly int[][] _inputs;
        private readonly List<int>[] _histories;
        private bool _isAhead;

        public Batch(LanguageModel model, int rows, Random random)
        {
            (_model, _random) = (model, random);
            _rows = [.. Enumerable.Range(0, rows).Select(_ => new LanguageRow { State = model.CreateState(), Inputs = default })];
            _next = [.. _rows.Select(row => new LanguageRow { State = row.State, Inputs = new int[1] })];
            _inputs = [.. _rows.Select(_ => new int[1])];
            _histories = [.. _rows.Select(_ => new List<int>(1024))];
        }

        /// <summary>Feeds prompts, in as few steps as the model's limits allow.</summary>
        public void Feed(int positions, bool draw)
        {
            var fed = new int[_rows.Length];
            var prompts = fed.Select(_ => Prompt(positions)).ToArray();
            List<LanguageRow> step = [];
            while (fed.Any(count => count < positions))
            {
                step.Clear();
                var left = _model.Limits.PrefillTokens;
                for (var i = 0; i < _rows.Length && left > 0; i++)
                {
                    var count = Math.Min(left, positions - fed[i]);
                    if (count == 0)
                        continue;
                    _rows[i].Inputs = prompts[i].AsMemory(fed[i], count);
                    left -= count;
                    fed[i] += count;
                    _rows[i].Draw = draw && fed[i] == positions ? NextDraw(i) : null;
                    step.Add(_rows[i]);
                }
                _model.Launch(step);
                _model.Collect();
                Check(step);
            }
        }

        /// <summary>From here on each step feeds what the one before drew; this gives the first its inputs.</summary>
        public void Begin()
        {
            for (var i = 0; i < _rows.Length; i++)
            {
                _inputs[i][0] = ~_random.Next(_model.Vocabulary.Size);
                _rows[i].Inputs = _inputs[i];
            }
        }

        public void Launch()
        {
            for (var i = 0; i < _rows.Length; i++)
                _rows[i].Draw = NextDraw(i);
            _model.Launch(_rows);
        }

        /// <summary>Launches the step behind the one under way.</summary>
        public void Follow()
        {
            for (var i = 0; i < _rows.Length; i++)
            {
                _next[i].Draw = NextDraw(i) with { Position = _histories[i].Count + 1 };
                _next[i].Follows = _rows[i];
            }
            _model.Launch(_next);
            _isAhead = true;
        }

        public void Collect()
        {
            _model.Collect();
            Check(_rows);
            for (var i = 0; i < _rows.Length; i++)
            {
                _histories[i].Add(_rows[i].Token);
                _inputs[i][0] = ~_rows[i].Token;
            }
            if (_isAhead)
                (_rows, _next) = (_next, _rows);
            _isAhead = false;
        }

        public void Dispose()
        {
            foreach (var row in _rows)
                row.State.Dispose();
        }

        private TokenDraw NextDraw(int row) => new((ulong)row, _histories[row].Count, _histories[row], IgnoreEos: true);

        private int[] Prompt(int positions)
        {
            var prompt = new int[positions];
            prompt[0] = _model.Vocabulary.Sos;
            for (var i = 1; i < positions; i++)
                prompt[i] = ~_random.Next(_model.Vocabulary.Size);
            return prompt;
        }

        private static void Check(IReadOnlyList<LanguageRow> rows)
        {
            for (var i = 0; i < rows.Count; i++)
                if (rows[i].Error is { } error)
                    throw new TtsSynthesisException($"The language model failed on row {i} of {rows.Count}: {error.Message}", error);
        }
    }
}
