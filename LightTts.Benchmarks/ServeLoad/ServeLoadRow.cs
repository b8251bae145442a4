using System.Globalization;

namespace LightTts.Benchmarks.ServeLoad;

/// <summary>A line of the table: one way to ask, at one number of workers. Times in
/// seconds; percentiles of the requests that were answered.</summary>
internal sealed record ServeLoadRow(string Mode, int Workers, int Requests, int Errors, double TotalSeconds, double Qps, double AudioSeconds,
    Percentiles Cost, Percentiles FirstAudio, Percentiles Rtf, double RtfMean, IReadOnlyDictionary<string, int> ErrorMessages)
{
    // As LightTTS's own clients print it, with the first audio's 95 % beside its 90.
    public const string Heading =
        "mode      workers  requests  errors  cost 50/90/99          first audio 50/90/95/99     rtf 50/90/99        avg rtf  "
        + "total s     qps";

    /// <summary>Processor time of the process that spoke; null where it does not tell.</summary>
    public double? ProcessorSeconds { get; init; }

    public static ServeLoadRow Create(ServeMode mode, int workers, double seconds, IReadOnlyList<CallResult> good, IReadOnlyList<string> errors) =>
        new(mode.ToString().ToLowerInvariant(), workers, good.Count + errors.Count, errors.Count, seconds, good.Count / seconds,
            good.Sum(result => result.Audio), Percentiles.Of(good.Select(result => result.Cost)),
            Percentiles.Of(good.Select(result => result.FirstAudio)), Percentiles.Of(good.Select(result => result.RealTimeFactor)),
            good.Count == 0 ? double.NaN : good.Average(result => result.RealTimeFactor),
            errors.GroupBy(error => error).ToDictionary(group => group.Key, group => group.Count()));

    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{Mode,-9} {Workers,7} {Requests,9} {Errors,7}  {Cost.P50,6:0.00}/{Cost.P90,6:0.00}/{Cost.P99,6:0.00}    {FirstAudio.P50,6:0.000}/"
        + $"{FirstAudio.P90,6:0.000}/{FirstAudio.P95,6:0.000}/{FirstAudio.P99,6:0.000}   {Rtf.P50,5:0.00}/{Rtf.P90,5:0.00}/{Rtf.P99,5:0.00} "
        + $"{RtfMean,10:0.00} {TotalSeconds,8:0.00} {Qps,7:0.00}");
}

/// <summary>The values that so many per cent lie at or below (nearest rank).</summary>
internal sealed record Percentiles(double P50, double P90, double P95, double P99)
{
    public static Percentiles Of(IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        double At(double part) => sorted.Count == 0 ? double.NaN : sorted[Math.Max(0, (int)Math.Ceiling(part * sorted.Count) - 1)];
        return new Percentiles(At(0.5), At(0.9), At(0.95), At(0.99));
    }
}
