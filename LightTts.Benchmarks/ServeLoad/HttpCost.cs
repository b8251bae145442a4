using System.Globalization;

namespace LightTts.Benchmarks.ServeLoad;

/// <summary>What the way over HTTP costs: a second of audio from the server over one from the library, by rounds of
/// both in turn, so that whatever else the machine does meets both alike.</summary>
/// <param name="Mode">The way to ask.</param>
/// <param name="Workers">Requests at once.</param>
/// <param name="Times">Elapsed time of the server's round over the library's, with the clients' work where they share processors.</param>
/// <param name="ProcessorTimes">Processor time of the server's process over that of the library's; none where the server does not tell.</param>
internal sealed record HttpCost(string Mode, int Workers, IReadOnlyList<double> Times, IReadOnlyList<double> ProcessorTimes)
{
    /// <param name="mode">The way to ask.</param>
    /// <param name="workers">Requests at once.</param>
    /// <param name="rounds">Pairs of a library's and a server's round; the first of a pair changes each time.</param>
    /// <param name="run">Runs a round: over HTTP or not.</param>
    /// <exception cref="InvalidDataException">A request failed.</exception>
    public static async Task<HttpCost> MeasureAsync(ServeMode mode, int workers, int rounds, Func<bool, Task<ServeLoadRow>> run)
    {
        var (times, processorTimes) = (new List<double>(), new List<double>());
        for (var round = -1; round < rounds; round++)
        {
            var rows = new ServeLoadRow[2];
            foreach (var http in round % 2 == 0 ? new[] { false, true } : [true, false])
            {
                var row = rows[http ? 1 : 0] = await run(http);
                if (row.Errors > 0)
                    throw new InvalidDataException($"{row.Errors} requests failed: {row.ErrorMessages.Keys.First()}");
            }
            if (round < 0)
                continue; // the one before warms both up
            times.Add(rows[1].TotalSeconds / rows[1].AudioSeconds / (rows[0].TotalSeconds / rows[0].AudioSeconds));
            if (rows[1].ProcessorSeconds / rows[1].AudioSeconds / (rows[0].ProcessorSeconds / rows[0].AudioSeconds) is { } ratio)
                processorTimes.Add(ratio);
        }
        return new HttpCost(mode.ToString().ToLowerInvariant(), workers, times, processorTimes);
    }

    public static double Median(IReadOnlyList<double> ratios)
    {
        var sorted = ratios.Order().ToList();
        return (sorted[(sorted.Count - 1) / 2] + sorted[sorted.Count / 2]) / 2;
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{Mode,-9} {Workers,7}  server/library in {Times.Count} rounds: time {Told(Times)}")
        + (ProcessorTimes.Count > 0 ? $", processor time {Told(ProcessorTimes)}" : "");

    private static string Told(IReadOnlyList<double> ratios) => string.Create(CultureInfo.InvariantCulture,
        $"{Median(ratios):0.000} ({ratios.Min():0.000} to {ratios.Max():0.000})");
}
