using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Globalization;

namespace LightTts.Benchmarks;

/// <summary>Adds up what the engine reports of its stages' steps (instrument lighttts.stage.duration).</summary>
internal sealed class StageTimes
{
    private readonly ConcurrentDictionary<string, double> _seconds = new();
    private MeterListener? _listener;

    public void Start()
    {
        _listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument is { Meter.Name: "LightTts", Name: "lighttts.stage.duration" })
                    listener.EnableMeasurementEvents(instrument);
            },
        };
        _listener.SetMeasurementEventCallback<double>((_, value, tags, _) =>
        {
            foreach (var tag in tags)
                if (tag is { Key: "lighttts.stage", Value: string stage })
                    _seconds.AddOrUpdate(stage, value, (_, sum) => sum + value);
        });
        _listener.Start();
    }

    /// <summary>"decode 0.061, encode 0.001, language 0.029".</summary>
    public static string Format(IReadOnlyDictionary<string, double> factors) =>
        string.Join(", ", factors.Select(pair => string.Create(CultureInfo.InvariantCulture, $"{pair.Key} {pair.Value:0.000}")));

    /// <summary>Seconds of work by stage since <see cref="Start"/>.</summary>
    public IReadOnlyDictionary<string, double> Stop()
    {
        _listener?.Dispose();
        return new SortedDictionary<string, double>(_seconds);
    }
}
