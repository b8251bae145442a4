using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Threading.Channels;
using LightTts.Diagnostics;
using LightTts.Models;
using LightTts.Models.CosyVoice;
using LightTts.Pipeline;
using LightTts.Tests.Pipeline.Fakes;
using Microsoft.Extensions.Diagnostics.Metrics.Testing;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;

namespace LightTts.Tests.Diagnostics;

/// <summary>Telemetry is global to the process: its tests run alone.</summary>
[CollectionDefinition("Telemetry", DisableParallelization = true)]
public class TelemetryCollection;

/// <summary>An engine over fake models with everything it reports kept in memory.</summary>
internal sealed class TelemetryProbe : IAsyncDisposable
{
    private readonly ActivityListener _listener;
    private readonly Channel<Activity> _spans = Channel.CreateUnbounded<Activity>();

    public TelemetryProbe(TtsPipelineOptions? options = null)
    {
        _listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == "LightTts",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = span => _spans.Writer.TryWrite(span),
        };
        ActivitySource.AddActivityListener(_listener);
        Logs = new FakeLogCollector();
        Engine = new SynthesisEngine("fake",
            new ModelParts(new FakeEncoder(World), [new StyleModel("fake", new FakeLanguageModel(World))], new FakeDecoder(World)),
            options ?? new TtsPipelineOptions(), TimeProvider.System, new FakeLogger(Logs, "LightTts"));
    }

    public FakeWorld World { get; } = new();

    public SynthesisEngine Engine { get; }

    public FakeLogCollector Logs { get; }

    public MetricCollector<double> Durations { get; } = Collect<double>("lighttts.request.duration");

    public MetricCollector<double> FirstAudio { get; } = Collect<double>("lighttts.request.time_to_first_audio");

    public MetricCollector<double> RealTimeFactors { get; } = Collect<double>("lighttts.request.real_time_factor");

    public MetricCollector<double> Stages { get; } = Collect<double>("lighttts.stage.duration");

    public MetricCollector<double> Passes { get; } = Collect<double>("lighttts.decode.pass.duration");

    public MetricCollector<double> PassRows { get; } = Collect<double>("lighttts.decode.pass.rows");

    public MetricCollector<int> Active { get; } = Collect<int>("lighttts.request.active");

    public MetricCollector<long> Tokens { get; } = Collect<long>("lighttts.lm.tokens");

    public MetricCollector<int> Queues { get; } = Collect<int>("lighttts.stage.queue.length");

    public IAsyncEnumerable<AudioChunk> Speak(string text, CancellationToken cancellationToken = default) =>
        Engine.RunAsync(new SynthesisRequest { Text = text, Seed = 1 }, FakeEngine.Voice, 5, null, cancellationToken);

    /// <summary>Reads spans until one satisfies the condition; a minute without any is a failure.</summary>
    public async Task<List<Activity>> SpansUntil(Func<List<Activity>, bool> complete)
    {
        List<Activity> spans = [];
        while (!complete(spans))
            spans.Add(await _spans.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromMinutes(1)));
        return spans;
    }

    public FakeLogRecord[] LogsOf(int eventId) => [.. Logs.GetSnapshot().Where(record => record.Id.Id == eventId)];

    public async ValueTask DisposeAsync()
    {
        await Engine.DisposeAsync();
        _listener.Dispose();
        foreach (var collector in new IDisposable[] { Durations, FirstAudio, RealTimeFactors, Stages, Active, Tokens, Queues })
            collector.Dispose();
    }

    private static MetricCollector<T> Collect<T>(string name) where T : struct => new(LightTtsDiagnostics.Meter, name);
}
