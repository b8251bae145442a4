using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace LightTts.Diagnostics;

/// <summary>The engine's spans and metrics: an <see cref="System.Diagnostics.ActivitySource"/> and a <see cref="System.Diagnostics.Metrics.Meter"/>, both named "LightTts".</summary>
internal static class LightTtsDiagnostics
{
    public const string Name = "LightTts";

    public static readonly ActivitySource Source = new(Name);
    public static readonly Meter Meter = new(Name);

    private static readonly InstrumentAdvice<double> Buckets = new() { HistogramBucketBoundaries = [.01, .02, .04, .08, .16, .32, .64, 1.28, 2.56, 5.12, 10.24] };

    private static readonly Histogram<double> RequestDuration =
        Meter.CreateHistogram("lighttts.request.duration", "s", "Time from a request's acceptance to its end.", null, Buckets);

    private static readonly Histogram<double> TimeToFirstAudio =
        Meter.CreateHistogram("lighttts.request.time_to_first_audio", "s", "Time from a request's acceptance to its first audio.", null, Buckets);

    private static readonly Histogram<double> StageDuration =
        Meter.CreateHistogram("lighttts.stage.duration", "s", "Duration of a step of a stage.", null, Buckets);

    private static readonly Histogram<double> RealTimeFactor =
        Meter.CreateHistogram<double>("lighttts.request.real_time_factor", "1", "Duration of a request over the duration of its audio.");

    private static readonly UpDownCounter<int> Active = Meter.CreateUpDownCounter<int>("lighttts.request.active", "{request}", "Requests in the pipeline.");

    private static readonly Counter<long> Tokens = Meter.CreateCounter<long>("lighttts.lm.tokens", "{token}", "Rows stepped by the language model.");

    private static readonly Counter<long> Frames = Meter.CreateCounter<long>("lighttts.flow.frames", "{frame}", "Mel frames computed by the flow.");

    private static readonly Counter<long> TimbreLookups = Meter.CreateCounter<long>("lighttts.timbre.lookups", "{lookup}", "Look-ups in the timbre store.");

    public static void RequestStarted() => Active.Add(1);

    /// <summary>The span of a request, or null while nobody listens. The request's text is never part of it.</summary>
    public static Activity? StartRequest(string model, SynthesisRequest request)
    {
        if (!Source.HasListeners())
            return null;
        var activity = Source.CreateActivity($"text_to_speech {model}", ActivityKind.Internal);
        activity?.SetTag("gen_ai.operation.name", "text_to_speech");
        activity?.SetTag("gen_ai.request.model", model);
        activity?.SetTag("gen_ai.speech.voice", request.Timbre?.Name ?? request.Voice);
        activity?.SetTag("lighttts.mode", request.Mode == SynthesisMode.Streaming ? "streaming" : "whole");
        return activity?.Start();
    }

    public static void RequestEnded(Activity? activity, string model, TimeSpan elapsed, TimeSpan firstAudio, double audioSeconds, string? errorType)
    {
        Active.Add(-1);
        if (activity is not null)
        {
            activity.SetTag("lighttts.audio_seconds", audioSeconds);
            if (errorType is not null)
                activity.SetTag("error.type", errorType).SetStatus(ActivityStatusCode.Error, errorType);
            // Ending a span makes its parent current, here on whichever thread the request ended; only for its own caller that is right.
            var current = Activity.Current;
            activity.Dispose();
            if (current != activity)
                Activity.Current = current;
        }
        if (!RequestDuration.Enabled && !TimeToFirstAudio.Enabled && !RealTimeFactor.Enabled)
            return;
        var tags = new TagList { { "gen_ai.request.model", model } };
        if (errorType is not null)
            tags.Add("error.type", errorType);
        RequestDuration.Record(elapsed.TotalSeconds, tags);
        if (audioSeconds <= 0)
            return;
        TimeToFirstAudio.Record(firstAudio.TotalSeconds, tags);
        RealTimeFactor.Record(elapsed.TotalSeconds / audioSeconds, tags);
    }

    public static void CountTokens(int count) => Tokens.Add(count);

    public static void CountFrames(long count) => Frames.Add(count);

    public static void CountLookup(bool hit) => TimbreLookups.Add(1, new KeyValuePair<string, object?>("hit", hit));

    /// <summary>Records the time until disposal as a step of that stage; free of cost while nobody listens.</summary>
    public static StageMeasurement MeasureStage(string stage) => new(stage, StageDuration.Enabled ? Stopwatch.GetTimestamp() : 0);

    internal readonly struct StageMeasurement(string stage, long start) : IDisposable
    {
        public void Dispose()
        {
            if (start != 0)
                StageDuration.Record(Stopwatch.GetElapsedTime(start).TotalSeconds, new KeyValuePair<string, object?>("lighttts.stage", stage));
        }
    }
}
