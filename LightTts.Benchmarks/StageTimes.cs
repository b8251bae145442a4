using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Globalization;

namespace LightTts.Benchmarks;

/// <summary>Adds up what the engine reports of its stages' steps (instrument lighttts.stage.duration) and of the decoder's passes.</summary>
internal sealed class StageTimes
{
    private const string PassDuration = "lighttts.decode.pass.duration", PassRows = "lighttts.decode.pass.rows";

    private readonly ConcurrentDictionary<string, double> _seconds = new();
    private readonly Lock _gate = new();
    private MeterListener? _listener;
    private int _passes;
    private double _rows;
    private double _spent;

    public void Start()
    {
        _listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument is { Meter.Name: "LightTts", Name: "lighttts.stage.duration" or PassDuration or PassRows })
                    listener.EnableMeasurementEvents(instrument);
            },
        };
        _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) =>
        {
            lock (_gate)
                if (instrument.Name == PassDuration)
                    (_passes, _spent) = (_passes + 1, _spent + value);
                else if (instrument.Name == PassRows)
                    _rows += value;
            foreach (var tag in tags)
                if (tag is { Key: "lighttts.stage", Value: string stage })
                    _seconds.AddOrUpdate(stage, value, (_, sum) => sum + value);
        });
        _listener.Start();
    }

    /// <summary>"212 passes of 14.2 rows and 38.1 ms": what the decoder's passes were in the mean, since <see cref="Start"/>.</summary>
    public string FormatPasses() => _passes == 0 ? "no passes" : string.Create(CultureInfo.InvariantCulture,
        $"{_passes} passes of {_rows / _passes:0.0} rows and {1000 * _spent / _passes:0.0} ms");

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
