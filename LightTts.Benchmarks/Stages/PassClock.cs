using System.Diagnostics;
using LightTts.Benchmarks.Ledger;

namespace LightTts.Benchmarks.Stages;

/// <summary>Times passes, and shows the ledger where each begins and ends.</summary>
/// <param name="synchronize">Waits for the device; nothing where it is the host.</param>
/// <param name="ledger">Null: none is kept.</param>
/// <param name="seconds">For each measurement.</param>
internal sealed class PassClock(Action synchronize, DeviceLedger? ledger, double seconds)
{
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
        var started = Stopwatch.GetTimestamp();
        step();
        var elapsed = Stopwatch.GetElapsedTime(started);
        ledger?.Leave();
        return elapsed.TotalMilliseconds;
    }

    /// <summary>Waits for the device.</summary>
    public void Synchronize() => synchronize();
}
