namespace LightTts.Samples.Server.Metrics;

/// <summary>Counts values in buckets; not safe for use from several threads at once.</summary>
internal sealed class PrometheusHistogram(IReadOnlyList<double> bounds)
{
    private readonly long[] _counts = new long[bounds.Count + 1];

    public IReadOnlyList<double> Bounds => bounds;

    public IReadOnlyList<long> Counts => _counts;

    public long Count { get; private set; }

    public double Sum { get; private set; }

    public void Record(double value)
    {
        var at = 0;
        while (at < bounds.Count && value > bounds[at])
            at++;
        _counts[at]++;
        Count++;
        Sum += value;
    }
}
