using System.Diagnostics;
using LightTts.Benchmarks.Ledger;

namespace LightTts.Benchmarks.Stages;

/// <summary>Times passes, and shows the ledger where each begins and ends.</summary>
/// <param name="synchronize">Waits for the device; nothing where it is the host.</param>
/// <param name="ledger">Null: none is kept.</param>
/// <param name="seconds">For each measurement.</param>
internal sealed class PassClock(Action synchronize, DeviceLedger? ledger, double seconds)
{
    private readonly Dictionary<string, List<double>> _marks = [];
    private long _started; // of the step under way; 0: there is none

    /// <summary>Where the host was within a step, in microseconds from its beginning, at the median of the last measurement's; in the order in
    /// which they first came.</summary>
    public IEnumerable<(string What, double Microseconds)> Marks => _marks.Select(mark => (mark.Key, SpeakCommand.Median(mark.Value)));

    /// <summary>Repeats a sample for a time, after one that does not count.</summary>
    public Series Take(Action<List<double>> sample)
    {
        var isWarm = false;
        return Series.Take(seconds, values =>
        {
            sample(values);
            if (isWarm)
                return;
            isWarm = true;
            synchronize();
            ledger?.Discard();
            _marks.Clear();
        });
    }

    /// <summary>Milliseconds of a pass, from a device that rests to one that rests.</summary>
    public double Pass(Action pass)
    {
        synchronize();
        return Step(() =>
        {
            pass();
            synchronize();
        });
    }

    /// <summary>Milliseconds of a step that waits for its own results.</summary>
    public double Step(Action step)
    {
        ledger?.Enter();
        _started = Stopwatch.GetTimestamp();
        step();
        var elapsed = Stopwatch.GetElapsedTime(_started);
        _started = 0;
        ledger?.Leave();
        return elapsed.TotalMilliseconds;
    }

    /// <summary>The host has done something of the step under way; nothing where there is none.</summary>
    public void Mark(string what)
    {
        if (_started == 0)
            return;
        if (!_marks.TryGetValue(what, out var values))
            _marks[what] = values = [];
        values.Add(Stopwatch.GetElapsedTime(_started).TotalMicroseconds);
        ledger?.Mark(what);
    }

    /// <summary>Waits for the device.</summary>
    public void Synchronize() => synchronize();
}
