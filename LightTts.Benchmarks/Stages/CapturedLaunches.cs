using System.Diagnostics;
using LightTts.Cuda;

namespace LightTts.Benchmarks.Stages;

/// <summary>What one launch of a kernel takes among its like: many of them in a graph, so that launching it does not count.</summary>
internal static class CapturedLaunches
{
    private const int Repeats = 24; // what runs once in a step, too
    private const int Replays = 8;

    /// <summary>Microseconds of a launch.</summary>
    /// <param name="stream">The calling thread's current stream.</param>
    /// <param name="layers">How many there are to launch in turn, so that weights do not stay near.</param>
    /// <param name="seconds">How long to measure.</param>
    /// <param name="launch">Launches the kernel of a layer.</param>
    public static Series Time(nint stream, int layers, double seconds, Action<int> launch)
    {
        using var graph = CudaGraph.CaptureWarm(new CudaGraphPool(), () =>
        {
            for (var i = 0; i < Repeats; i++)
                launch(i % layers);
        });
        return Series.Take(seconds, values =>
        {
            CudaDriver.Synchronize(stream);
            var started = Stopwatch.GetTimestamp();
            for (var i = 0; i < Replays; i++)
                graph.Replay();
            CudaDriver.Synchronize(stream);
            values.Add(Stopwatch.GetElapsedTime(started).TotalMicroseconds / (Replays * Repeats));
        });
    }
}
