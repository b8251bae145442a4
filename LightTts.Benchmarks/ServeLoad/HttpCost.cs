using System.Globalization;

namespace LightTts.Benchmarks.ServeLoad;

/// <summary>What the way over HTTP costs: the time of a second of audio from the server over that from the library, by rounds of
/// both in turn, so that whatever else the machine does meets both alike.</summary>
internal sealed record HttpCost(string Mode, int Workers, IReadOnlyList<double> Ratios)
{
    public double Median
    {
        get
        {
            var sorted = Ratios.Order().ToList();
            return (sorted[(sorted.Count - 1) / 2] + sorted[sorted.Count / 2]) / 2;
        }
    }

    /// <param name="rounds">Pairs of a library's and a server's round; the first of a pair changes each time.</param>
    /// <param name="run">Runs a round: over HTTP or not.</param>
    /// <exception cref="InvalidDataException">A request failed.</exception>
    public static async Task<HttpCost> MeasureAsync(ServeMode mode, int workers, int rounds, Func<bool, Task<ServeLoadRow>> run)
    {
        List<double> ratios = [];
        for (var round = -1; round < rounds; round++)
        {
            double[] pace = [0, 0];
            foreach (var http in round % 2 == 0 ? new[] { false, true } : [true, false])
            {
                var row = await run(http);
                if (row.Errors > 0)
                    throw new InvalidDataException($"{row.Errors} requests failed: {row.ErrorMessages.Keys.First()}");
                pace[http ? 1 : 0] = row.TotalSeconds / row.AudioSeconds;
            }
            if (round >= 0) // the one before warms both up
                ratios.Add(pace[1] / pace[0]);
        }
        return new HttpCost(mode.ToString().ToLowerInvariant(), workers, ratios);
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{Mode,-9} {Workers,7}  server/library: median {Median:0.000}, {Ratios.Min():0.000} to {Ratios.Max():0.000} in {Ratios.Count} rounds");
}
