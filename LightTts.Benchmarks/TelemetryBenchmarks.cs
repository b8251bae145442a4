using System.Diagnostics;
using System.Diagnostics.Metrics;
using BenchmarkDotNet.Attributes;
using LightTts.Diagnostics;

namespace LightTts.Benchmarks;

/// <summary>What telemetry costs a request of one sentence: 60 steps of the language stage, 8 of the decode stage.</summary>
/// <remarks>The figure to hold the unobserved case against is the request itself, which takes tens of milliseconds.</remarks>
[MemoryDiagnoser]
public class TelemetryBenchmarks
{
    private const int LanguageSteps = 60;
    private const int DecodeSteps = 8;

    private readonly SynthesisRequest _request = new() { Text = "Hello." };
    private ActivityListener? _spans;
    private MeterListener? _metrics;

    /// <summary>Whether a listener takes all spans and measurements.</summary>
    [Params(false, true)]
    public bool Observed { get; set; }

    /// <summary>Starts to listen.</summary>
    [GlobalSetup]
    public void Setup()
    {
        if (!Observed)
            return;
        _spans = new ActivityListener
        {
            ShouldListenTo = source => source.Name == LightTtsDiagnostics.Name,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
        };
        ActivitySource.AddActivityListener(_spans);
        _metrics = new MeterListener { InstrumentPublished = Listen };
        _metrics.SetMeasurementEventCallback<double>((_, _, _, _) => { });
        _metrics.SetMeasurementEventCallback<long>((_, _, _, _) => { });
        _metrics.SetMeasurementEventCallback<int>((_, _, _, _) => { });
        _metrics.Start();
    }

    /// <summary>Stops listening.</summary>
    [GlobalCleanup]
    public void Cleanup()
    {
        _spans?.Dispose();
        _metrics?.Dispose();
    }

    /// <summary>All telemetry calls of one request.</summary>
    [Benchmark]
    public void Request()
    {
        var span = LightTtsDiagnostics.StartRequest("bench", _request);
        LightTtsDiagnostics.RequestStarted();
        var language = LightTtsDiagnostics.StartPart(span, "lighttts.lm", 0);
        for (var i = 0; i < LanguageSteps; i++)
        {
            using (LightTtsDiagnostics.MeasureStage("language"))
                LightTtsDiagnostics.CountTokens(1);
        }
        LightTtsDiagnostics.End(language);
        var decode = LightTtsDiagnostics.StartPart(span, "lighttts.decode", 0);
        for (var i = 0; i < DecodeSteps; i++)
        {
            using (LightTtsDiagnostics.MeasureStage("decode"))
                LightTtsDiagnostics.CountFrames(50);
        }
        LightTtsDiagnostics.End(decode);
        LightTtsDiagnostics.RequestEnded(span, "bench", TimeSpan.FromMilliseconds(100), TimeSpan.FromMilliseconds(20), 2, null);
    }

    private static void Listen(Instrument instrument, MeterListener listener)
    {
        if (instrument.Meter.Name == LightTtsDiagnostics.Name)
            listener.EnableMeasurementEvents(instrument);
    }
}
