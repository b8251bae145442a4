using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace LightTts.Diagnostics;

/// <summary>The engine's spans and metrics: an <see cref="System.Diagnostics.ActivitySource"/>
/// and a <see cref="System.Diagnostics.Metrics.Meter"/>, both named "LightTts".</summary>
internal static class LightTtsDiagnostics
{
    public const string Name = "LightTts";

    public static readonly ActivitySource Source = new(Name);
    public static readonly Meter Meter = new(Name);

    private static readonly InstrumentAdvice<double> Buckets =
        new() { HistogramBucketBoundaries = [.01, .02, .04, .08, .16, .32, .64, 1.28, 2.56, 5.12, 10.24] };

    private static readonly Histogram<double> RequestDuration =
        Meter.CreateHistogram("lighttts.request.duration", "s", "Time from a request's acceptance to its end.", null, Buckets);

    private static readonly Histogram<double> TimeToFirstAudio =
        Meter.CreateHistogram("lighttts.request.time_to_first_audio", "s", "Time from a request's acceptance to its first audio.", null, Buckets);

    private static readonly Histogram<double> StageDuration =
        Meter.CreateHistogram("lighttts.stage.duration", "s", "Duration of a step of a stage.", null, Buckets);

    private static readonly Histogram<double> RealTimeFactor =
        Meter.CreateHistogram<double>("lighttts.request.real_time_factor", "1", "Duration of a request over the duration of its audio.");

    private static readonly UpDownCounter<int> Active =
        Meter.CreateUpDownCounter<int>("lighttts.request.active", "{request}", "Requests in the pipeline.");

    private static readonly Counter<long> Tokens = Meter.CreateCounter<long>("lighttts.lm.tokens", "{token}", "Rows stepped by the language model.");

    private static readonly Counter<long> Redraws =
        Meter.CreateCounter<long>("lighttts.lm.redraws", "{sentence}", "Sentences drawn again, by reason.");

    private static readonly Counter<long> Frames = Meter.CreateCounter<long>("lighttts.flow.frames", "{frame}", "Mel frames computed by the flow.");

    private static readonly Histogram<double> PassDuration =
        Meter.CreateHistogram("lighttts.decode.pass.duration", "s", "Work of the decoder's passes.", null, Buckets);

    private static readonly Histogram<double> PassRows =
        Meter.CreateHistogram<double>("lighttts.decode.pass.rows", "{row}", "Utterances that the decoder's passes served.");

    private static readonly Counter<long> TimbreLookups =
        Meter.CreateCounter<long>("lighttts.timbre.lookups", "{lookup}", "Look-ups in the timbre store.");

    public static void RequestStarted() => Active.Count(1);

    /// <summary>The span of a request, or null while nobody listens. The request's text is never part of it.</summary>
    /// <remarks>It is not made <see cref="Activity.Current"/>: what the consumer does between
    /// two chunks, and the text source it hands in, are the consumer's own.</remarks>
    public static Activity? StartRequest(string model, SynthesisRequest request)
    {
        if (!Source.HasListeners())
            return null;
        using var scope = Outside();
        try
        {
            var activity = Source.CreateActivity($"text_to_speech {model}", ActivityKind.Internal, scope.Before?.Context ?? default);
            activity?.SetTag("gen_ai.operation.name", "text_to_speech");
            activity?.SetTag("gen_ai.request.model", model);
            activity?.SetTag("gen_ai.speech.voice", request.Timbre?.Name ?? request.Voice);
            activity?.SetTag("lighttts.mode", request.Delivery == AudioDelivery.Streaming ? "streaming" : "whole");
            return activity?.Start();
        }
        catch (Exception)
        {
            return null; // a listener threw: no reason to refuse a request
        }
    }

    public static void RequestEnded(Activity? activity, string model, TimeSpan elapsed, TimeSpan firstAudio, double audioSeconds, string? errorType)
    {
        Active.Count(-1);
        if (activity is not null)
        {
            activity.SetTag("lighttts.audio_seconds", audioSeconds);
            End(activity, errorType);
        }
        if (!RequestDuration.Enabled && !TimeToFirstAudio.Enabled && !RealTimeFactor.Enabled)
            return;
        var tags = new TagList { { "gen_ai.request.model", model } };
        if (errorType is not null)
            tags.Add("error.type", errorType);
        RequestDuration.Measure(elapsed.TotalSeconds, tags);
        if (audioSeconds <= 0)
            return;
        TimeToFirstAudio.Measure(firstAudio.TotalSeconds, tags);
        RealTimeFactor.Measure(elapsed.TotalSeconds / audioSeconds, tags);
    }

    /// <summary>A request that was refused before it began: a span and a measurement of
    /// its own, so that refusals are seen where successes are.</summary>
    public static void RequestRefused(string model, SynthesisRequest request, string errorType)
    {
        End(StartRequest(model, request), errorType);
        if (RequestDuration.Enabled)
            RequestDuration.Measure(0, new TagList { { "gen_ai.request.model", model }, { "error.type", errorType } });
    }

    /// <summary>The span of a stage's part of a sentence, under its request's; null, and free of cost, where the request has none.</summary>
    /// <param name="request">The request's span.</param>
    /// <param name="name">"lighttts.encode", "lighttts.lm" or "lighttts.decode".</param>
    /// <param name="sentence">The sentence's number in its request.</param>
    /// <param name="began">When the part began; by default now.</param>
    public static Activity? StartPart(Activity? request, string name, int sentence, DateTimeOffset began = default)
    {
        if (request is null)
            return null;
        using var scope = Outside();
        try
        {
            return Source.StartActivity(name, ActivityKind.Internal, request.Context, startTime: began)?.SetTag("lighttts.sentence", sentence);
        }
        catch (Exception)
        {
            return null; // a listener threw: no reason to fail a stage
        }
    }

    /// <summary>Ends a span. The thread that does so need not be the one that began it, so <see cref="Activity.Current"/> stays what it is.</summary>
    public static void End(Activity? span, string? errorType = null)
    {
        if (span is null)
            return;
        using var scope = Outside();
        if (errorType is not null)
            span.SetTag("error.type", errorType).SetStatus(ActivityStatusCode.Error, errorType);
        try
        {
            span.Dispose();
        }
        catch (Exception)
        {
            // A listener threw; the span is over all the same.
        }
    }

    /// <summary>Makes a request's span <see cref="Activity.Current"/> until disposal, so
    /// that log messages carry its ids; does nothing where there is none.</summary>
    public static CurrentSpan Within(Activity? span) => new(span ?? Activity.Current);

    /// <summary>Makes no span current until disposal, because beginning and ending one changes what is current.</summary>
    private static CurrentSpan Outside() => new(null);

    /// <summary>What stands for an exception in tags: "cancelled", or the type's name.</summary>
    public static string? ErrorType(Exception? error) => error is null ? null : error is OperationCanceledException ? "cancelled"
        : error.GetType().Name;

    public static void CountTokens(int count) => Tokens.Count(count);

    /// <summary>Counts a sentence that is drawn again.</summary>
    /// <param name="reason">"silent", "too_short" or "too_long".</param>
    public static void CountRedraw(string reason) => Redraws.Count(1, new TagList { { "lighttts.reason", reason } });

    public static void CountFrames(long count) => Frames.Count(count);

    /// <summary>A pass of the decoder is done.</summary>
    public static void PassEnded(int rows, TimeSpan spent)
    {
        PassDuration.Measure(spent.TotalSeconds, default);
        PassRows.Measure(rows, default);
    }

    /// <summary>Counts reference audio that was looked up, and whether its voice was known.</summary>
    public static void CountLookup(bool hit)
    {
        if (TimbreLookups.Enabled)
            TimbreLookups.Count(1, new TagList { { "hit", hit } });
    }

    /// <summary>Records the time until disposal as a step of that stage; free of cost while nobody listens.</summary>
    public static StageMeasurement MeasureStage(string stage) => new(stage, StageDuration.Enabled ? Stopwatch.GetTimestamp() : 0);

    /// <summary>Restores <see cref="Activity.Current"/> when disposed.</summary>
    internal readonly struct CurrentSpan : IDisposable
    {
        public CurrentSpan(Activity? span)
        {
            Before = Activity.Current;
            if (!ReferenceEquals(Before, span))
                Activity.Current = span;
        }

        public Activity? Before { get; }

        public void Dispose()
        {
            if (!ReferenceEquals(Activity.Current, Before))
                Activity.Current = Before is { IsStopped: true } ? null : Before;
        }
    }

    internal readonly struct StageMeasurement(string stage, long start) : IDisposable
    {
        public void Dispose()
        {
            if (start != 0)
                StageDuration.Measure(Stopwatch.GetElapsedTime(start).TotalSeconds, new TagList { { "lighttts.stage", stage } });
        }
    }
}
