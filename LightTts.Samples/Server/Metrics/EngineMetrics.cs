using System.Diagnostics.Metrics;
using System.Text;

namespace LightTts.Samples.Server.Metrics;

/// <summary>Listens to the engine's meter and keeps its sums, for Prometheus.</summary>
internal sealed class EngineMetrics : IDisposable
{
    private const int MaxSeries = 1000;

    private static readonly double[] DefaultBuckets = [.01, .02, .04, .08, .16, .32, .64, 1.28, 2.56, 5.12, 10.24];

    private readonly Lock _gate = new();
    private readonly SortedDictionary<string, Family> _families = new(StringComparer.Ordinal);
    private readonly MeterListener _listener = new();

    public EngineMetrics()
    {
        _listener.InstrumentPublished = static (instrument, listener) =>
        {
            if (instrument.Meter.Name == "LightTts")
                listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Record(instrument, value, tags));
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Record(instrument, value, tags));
        _listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Record(instrument, value, tags));
        _listener.Start();
    }

    public void Write(PrometheusText text)
    {
        _listener.RecordObservableInstruments();
        lock (_gate)
        {
            foreach (var (name, family) in _families)
            {
                text.Header(name, family.Help, family.Type);
                foreach (var (labels, value) in family.Values)
                    text.Value(name, labels, value);
                foreach (var (labels, histogram) in family.Histograms)
                    text.Histogram(name, labels, histogram);
            }
        }
    }

    public void Dispose() => _listener.Dispose();

    private void Record(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var labels = Labels(tags);
        lock (_gate)
        {
            var (name, type) = Name(instrument);
            if (!_families.TryGetValue(name, out var family))
                _families[name] = family = new Family(instrument.Description ?? "", type);
            if (family.Values.Count + family.Histograms.Count >= MaxSeries)
                return;
            if (type == "histogram")
            {
                if (!family.Histograms.TryGetValue(labels, out var histogram))
                    family.Histograms[labels] = histogram =
                    new PrometheusHistogram((instrument as Histogram<double>)?.Advice?.HistogramBucketBoundaries ?? DefaultBuckets);
                histogram.Record(value);
            }
            else
            {
                family.Values[labels] = instrument.IsObservable ? value : family.Values.GetValueOrDefault(labels) + value;
            }
        }
    }

    private static (string Name, string Type) Name(Instrument instrument)
    {
        var kind = instrument.GetType().Name;
        var type = kind.StartsWith("Histogram", StringComparison.Ordinal) ? "histogram"
            : kind.StartsWith("Counter", StringComparison.Ordinal)
            || kind.StartsWith("ObservableCounter", StringComparison.Ordinal) ? "counter" : "gauge";
        var name = instrument.Name.Replace('.', '_') + (instrument.Unit == "s" ? "_seconds" : "");
        return (type == "counter" ? name + "_total" : name, type);
    }

    private static string Labels(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var text = new StringBuilder();
        foreach (var (key, value) in tags)
        {
            var escaped = (value?.ToString() ?? "").Replace("\\", "\\\\").Replace("\"", "\\\"").Replace("\n", "\\n");
            text.Append(text.Length > 0 ? "," : "").Append(key.Replace('.', '_')).Append("=\"").Append(escaped).Append('"');
        }
        return text.ToString();
    }

    private sealed record Family(string Help, string Type)
    {
        public SortedDictionary<string, double> Values { get; } = new(StringComparer.Ordinal);

        public SortedDictionary<string, PrometheusHistogram> Histograms { get; } = new(StringComparer.Ordinal);
    }
}
