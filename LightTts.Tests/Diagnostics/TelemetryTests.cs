using System.Diagnostics;
using System.Diagnostics.Metrics;
using LightTts.Diagnostics;
using LightTts.Tests.Extensions.Fakes;
using LightTts.Tests.Pipeline.Fakes;
using Microsoft.Extensions.Logging;

namespace LightTts.Tests.Diagnostics;

[Collection("Telemetry")]
public class TelemetryTests
{
    [Fact]
    public async Task Success_leaves_spans_metrics_and_logs()
    {
        await using var probe = new TelemetryProbe();
        using var caller = new Activity("caller").Start();
        var chunks = await FakeEngine.Collect(probe.Speak(Hosts.Story));
        Assert.Same(caller, Activity.Current);
        var spans = await probe.SpansUntil(seen => seen.Count == 1 + 3 * 4);

        var request = Assert.Single(spans, span => span.OperationName == "text_to_speech fake");
        Assert.Equal(caller.TraceId, request.TraceId);
        Assert.Equal(caller.SpanId, request.ParentSpanId);
        Assert.Equal(ActivityStatusCode.Unset, request.Status);
        Assert.Equal(("text_to_speech", "fake"), (request.GetTagItem("gen_ai.operation.name"), request.GetTagItem("gen_ai.request.model")));
        Assert.Equal(chunks.Sum(chunk => chunk.Duration.TotalSeconds), (double)request.GetTagItem("lighttts.audio_seconds")!, 6);
        foreach (var part in new[] { "lighttts.encode", "lighttts.lm", "lighttts.decode" })
        {
            var parts = spans.Where(span => span.OperationName == part).ToList();
            Assert.Equal([0, 1, 2, 3], parts.Select(span => (int)span.GetTagItem("lighttts.sentence")!).Order());
            Assert.All(parts, span => Assert.Equal((request.SpanId, request.TraceId), (span.ParentSpanId, span.TraceId)));
        }

        var duration = Assert.Single(probe.Durations.GetMeasurementSnapshot());
        Assert.Equal("fake", duration.Tags["gen_ai.request.model"]);
        Assert.DoesNotContain("error.type", duration.Tags.Keys);
        Assert.True(Assert.Single(probe.FirstAudio.GetMeasurementSnapshot()).Value <= duration.Value);
        Assert.True(Assert.Single(probe.RealTimeFactors.GetMeasurementSnapshot()).Value > 0);
        Assert.Equal([1, -1], probe.Active.GetMeasurementSnapshot().Select(measurement => measurement.Value));
        Assert.True(probe.Tokens.GetMeasurementSnapshot().Sum(measurement => measurement.Value) >= chunks.Sum(chunk => chunk.SpeechTokens.Length));
        Assert.Equal(["decode", "encode", "language"],
            probe.Stages.GetMeasurementSnapshot().Select(measurement => (string)measurement.Tags["lighttts.stage"]!).Distinct().Order());
        Assert.True(probe.PassRows.GetMeasurementSnapshot().Sum(measurement => measurement.Value) >= 4); // a sentence takes at least one
        Assert.All(probe.Passes.GetMeasurementSnapshot(), measurement => Assert.True(measurement.Value > 0));
        probe.Queues.RecordObservableInstruments();
        Assert.Equal(["decode", "encode", "language"],
            probe.Queues.GetMeasurementSnapshot().Where(measurement => Equals(measurement.Tags["gen_ai.request.model"], "fake"))
            .Select(measurement => (string)measurement.Tags["lighttts.stage"]!).Distinct().Order());

        var id = request.GetTagItem("lighttts.request.id")!.ToString();
        Assert.Equal(id, Assert.Single(probe.LogsOf(1001)).GetStructuredStateValue("RequestId"));
        Assert.Equal(id, Assert.Single(probe.LogsOf(1002)).GetStructuredStateValue("RequestId"));
    }

    /// <summary>A listener runs inside the call that it listens to; its fault must not become the request's.</summary>
    [Fact]
    public async Task Listeners_that_throw_fail_nothing()
    {
        using var metrics = new MeterListener { InstrumentPublished = (instrument, self) => Listen(instrument, self) };
        var calls = 0;
        void Fail()
        {
            Interlocked.Increment(ref calls);
            throw new InvalidOperationException("the listener's own fault");
        }

        metrics.SetMeasurementEventCallback<double>((_, _, _, _) => Fail());
        metrics.SetMeasurementEventCallback<long>((_, _, _, _) => Fail());
        metrics.SetMeasurementEventCallback<int>((_, _, _, _) => Fail());
        metrics.Start();
        using var spans = new ActivityListener
        {
            ShouldListenTo = source => source.Name == LightTtsDiagnostics.Name,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => { Fail(); return ActivitySamplingResult.AllData; },
        };
        ActivitySource.AddActivityListener(spans);
        await using var engine = new FakeEngine(new TtsPipelineOptions());
        Assert.True((await FakeEngine.Collect(engine.Speak(new SynthesisRequest { Text = Hosts.Story }, default)))[^1].IsLast);
        LightTtsDiagnostics.CountFrames(1);
        LightTtsDiagnostics.CountLookup(hit: true);
        Assert.True(calls > 10);

        static void Listen(Instrument instrument, MeterListener listener)
        {
            if (ReferenceEquals(instrument.Meter, LightTtsDiagnostics.Meter))
                listener.EnableMeasurementEvents(instrument);
        }
    }

    [Fact]
    public async Task Cancel_is_told_apart_from_failure()
    {
        await using var probe = new TelemetryProbe();
        using var brake = new Brake(probe.World, "decode", 2);
        using var cancel = new CancellationTokenSource();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var _ in probe.Speak(Hosts.Story, cancel.Token))
            {
                await brake.Held;
                await cancel.CancelAsync();
            }
        });
        brake.Release();
        var spans = await probe.SpansUntil(seen =>
            seen.Any(span => span.OperationName == "lighttts.decode" && "cancelled".Equals(span.GetTagItem("error.type")))
            && seen.Any(span => span.OperationName.StartsWith("text_to_speech")));
        Assert.Equal("cancelled", spans.Single(span => span.OperationName.StartsWith("text_to_speech")).GetTagItem("error.type"));
        Assert.Equal("cancelled", Assert.Single(probe.Durations.GetMeasurementSnapshot()).Tags["error.type"]);
        Assert.Single(probe.LogsOf(1003));
        Assert.Empty(probe.LogsOf(1004));
        Assert.Equal(0, probe.Active.GetMeasurementSnapshot().Sum(measurement => measurement.Value));
    }

    [Fact]
    public async Task Failure_is_warned_about_with_its_cause()
    {
        await using var probe = new TelemetryProbe();
        probe.World.OnCall = name => _ = name == "decode" ? throw new InvalidOperationException("broken weights") : 0;
        await Assert.ThrowsAsync<TtsSynthesisException>(() => FakeEngine.Collect(probe.Speak(Hosts.Story)));
        var spans = await probe.SpansUntil(seen => seen.Any(span => span.OperationName.StartsWith("text_to_speech")));
        var request = spans.Single(span => span.OperationName.StartsWith("text_to_speech"));
        Assert.Equal((ActivityStatusCode.Error, "TtsSynthesisException"), (request.Status, request.GetTagItem("error.type")));
        Assert.Equal("TtsSynthesisException", Assert.Single(probe.Durations.GetMeasurementSnapshot()).Tags["error.type"]);
        Assert.Empty(probe.RealTimeFactors.GetMeasurementSnapshot());
        var log = Assert.Single(probe.LogsOf(1004));
        Assert.Equal(LogLevel.Warning, log.Level);
        Assert.Contains("broken weights", log.Exception!.Message);
    }

    [Fact]
    public async Task Queue_full_is_seen_as_a_refused_request()
    {
        await using var probe = new TelemetryProbe(new TtsPipelineOptions { MaxActiveRequests = 1 });
        using var brake = new Brake(probe.World, "decode", 1);
        var first = FakeEngine.Collect(probe.Speak(Hosts.Story));
        await brake.Held;
        await Assert.ThrowsAsync<TtsQueueFullException>(() => FakeEngine.Collect(probe.Speak("another.")));
        var spans = await probe.SpansUntil(seen => seen.Any(span => span.OperationName.StartsWith("text_to_speech")));
        Assert.Equal("TtsQueueFullException", spans[^1].GetTagItem("error.type"));
        Assert.Equal("TtsQueueFullException", Assert.Single(probe.Durations.GetMeasurementSnapshot()).Tags["error.type"]);
        Assert.Equal([1], probe.Active.GetMeasurementSnapshot().Select(measurement => measurement.Value));
        Assert.Equal(LogLevel.Warning, Assert.Single(probe.LogsOf(1005)).Level);
        brake.Release();
        await first;
    }

    [Fact]
    public async Task The_text_of_a_request_is_seen_at_trace_only()
    {
        const string secret = "swordfish";
        await using var probe = new TelemetryProbe();
        await FakeEngine.Collect(probe.Speak($"the password is {secret}."));
        probe.World.OnCall = name => _ = name == "step" ? throw new InvalidOperationException("broken") : 0;
        await Assert.ThrowsAsync<TtsSynthesisException>(() => FakeEngine.Collect(probe.Speak($"again the password is {secret}.")));
        var spans = await probe.SpansUntil(seen => seen.Count(span => span.OperationName.StartsWith("text_to_speech")) == 2);
        Assert.DoesNotContain(spans.SelectMany(span => span.TagObjects), tag => tag.Value?.ToString()?.Contains(secret) == true);
        var records = probe.Logs.GetSnapshot();
        Assert.Equal(2, records.Count(record => record.Level == LogLevel.Trace && record.Message.Contains(secret)));
        Assert.DoesNotContain(records, record => record.Level > LogLevel.Trace && (record.Message + record.Exception).Contains(secret));
    }

    /// <summary>The stage threads live as long as the pipeline: what was current when it
    /// was loaded, or where a request came from, must not stick to them.</summary>
    [Fact]
    public async Task Stage_threads_carry_nobodys_span()
    {
        using var loading = new Activity("loading").Start();
        await using var probe = new TelemetryProbe();
        List<string?> seen = [];
        probe.World.OnCall = name =>
        {
            lock (seen)
                seen.Add(Activity.Current?.OperationName);
        };
        await FakeEngine.Collect(probe.Speak(Hosts.Story));
        await FakeEngine.Collect(probe.Speak(Hosts.Story));
        Assert.NotEmpty(seen);
        Assert.All(seen, name => Assert.Null(name));
    }

    [Fact]
    public void Nothing_is_allocated_while_nobody_listens()
    {
        var request = new SynthesisRequest { Text = "hello." };
        TelemetryRun.Request(request);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++)
            TelemetryRun.Request(request);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static class TelemetryRun
    {
        public static void Request(SynthesisRequest request)
        {
            var span = LightTtsDiagnostics.StartRequest("fake", request);
            LightTtsDiagnostics.RequestStarted();
            var part = LightTtsDiagnostics.StartPart(span, "lighttts.lm", 0);
            using (LightTtsDiagnostics.Within(span))
            using (LightTtsDiagnostics.MeasureStage("language"))
                LightTtsDiagnostics.CountTokens(4);
            LightTtsDiagnostics.CountLookup(true);
            LightTtsDiagnostics.End(part);
            LightTtsDiagnostics.RequestEnded(span, "fake", TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(.1), 2, null);
        }
    }
}
