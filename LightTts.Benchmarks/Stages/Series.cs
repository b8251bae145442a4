using System.Diagnostics;

namespace LightTts.Benchmarks.Stages;

/// <summary>What repetitions of one measurement came to.</summary>
internal readonly record struct Series(double Median, double Least, int Count)
{
    /// <summary>Repeats a sample for a time, after one that does not count.</summary>
    /// <param name="seconds">No sample is begun after so long, once there are three.</param>
    /// <param name="sample">Prepares what it needs and adds what it measured.</param>
    public static Series Take(double seconds, Action<List<double>> sample)
    {
        const int fewest = 3;
        sample([]);
        List<double> values = [];
        var watch = Stopwatch.StartNew();
        do
            sample(values);
        while (watch.Elapsed.TotalSeconds < seconds || values.Count < fewest);
        return new Series(SpeakCommand.Median(values), values.Min(), values.Count);
    }

    /// <summary>The share of one of so many that were computed together.</summary>
    public Series Each(int rows) => this with { Median = Median / rows, Least = Least / rows };
}
