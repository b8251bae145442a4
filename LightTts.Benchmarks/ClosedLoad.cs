using System.Diagnostics;
using LightTts.Cuda;

namespace LightTts.Benchmarks;

/// <summary>Closed-loop listeners: each asks again as soon as it has what it asked for.</summary>
internal static class ClosedLoad
{
    public static async Task<Row> RunAsync(TtsPipeline pipeline, string mode, int listeners, int requests, bool burst,
        CancellationToken cancellation)
    {
        var synthesis = mode.StartsWith("stream", StringComparison.OrdinalIgnoreCase) ? AudioDelivery.Streaming : AudioDelivery.Whole;
        var watch = Stopwatch.StartNew();
        await Task.WhenAll(Enumerable.Range(0, listeners).Select(listener => SpeakAsync(pipeline, synthesis, listener, 0, cancellation)));
        var warm = watch.Elapsed;
        var apart = burst ? TimeSpan.Zero : warm / listeners;
        var stages = new StageTimes();
        stages.Start();
        watch.Restart();
        var results = await Task.WhenAll(Enumerable.Range(0, listeners).Select(async listener =>
        {
            List<Result?> mine = [];
            await Task.Delay(listener * apart, cancellation);
            for (var i = 0; i < requests; i++)
            {
                var began = watch.Elapsed.TotalSeconds;
                var result = await SpeakAsync(pipeline, synthesis, listener, i + 1, cancellation);
                mine.Add(result is null ? null : result with { Began = began });
            }
            return mine;
        }));
        var elapsed = watch.Elapsed.TotalSeconds;
        var busy = stages.Stop();
        var done = results.SelectMany(mine => mine).ToList();
        var good = done.OfType<Result>().ToList();
        var audio = good.Sum(result => result.Audio);
        return new Row(mode, listeners, done.Count, done.Count - good.Count, audio / elapsed,
            Steady(results), warm.TotalSeconds, stages.FormatPasses(),
            Percentile(good.Select(result => result.First), 0.5), Percentile(good.Select(result => result.First), 0.95),
            Percentile(good.Select(result => result.Total / result.Audio), 0.5),
            busy.ToDictionary(pair => pair.Key, pair => audio > 0 ? pair.Value / audio : 0), CudaMemory.Used() / 1e6);
    }

    /// <summary>Seconds of audio a second while everybody was at it, from when the last of the listeners had begun until the first one had enough:
    /// what of a request lies between counts in proportion. Null where there is no such time.</summary>
    private static double? Steady(List<Result?>[] results)
    {
        var complete = results.Where(mine => mine.TrueForAll(result => result is not null)).Select(mine => mine.OfType<Result>().ToList()).ToList();
        if (complete.Count == 0)
            return null;
        var (from, to) = (complete.Max(mine => mine[0].Began), complete.Min(mine => mine[^1].Ended));
        var audio = complete.SelectMany(mine => mine).Sum(result =>
            result.Audio * Math.Max(0, Math.Min(to, result.Ended) - Math.Max(from, result.Began)) / result.Total);
        return to > from ? audio / (to - from) : null;
    }

    private static async Task<Result?> SpeakAsync(TtsPipeline pipeline, AudioDelivery mode, int listener,
        int turn, CancellationToken cancellation)
    {
        var voices = pipeline.Model.Voices;
        var request = new SynthesisRequest
        {
            Text = LoadCommand.Texts[(listener + turn) % LoadCommand.Texts.Length],
            Voice = voices.Count > 0 ? voices[listener % voices.Count].Name : null,
            Delivery = mode,
            Seed = listener * 1000 + turn,
        };
        var watch = Stopwatch.StartNew();
        var (samples, first) = (0L, 0.0);
        try
        {
            await foreach (var chunk in pipeline.SynthesizeAsync(request, cancellation))
            {
                if (samples == 0)
                    first = watch.Elapsed.TotalMilliseconds;
                samples += chunk.Samples.Length;
            }
        }
        catch (TtsException e)
        {
            Console.Error.WriteLine(e.Message);
            return null;
        }
        return new Result(samples / (double)pipeline.Model.SampleRate, first, watch.Elapsed.TotalSeconds);
    }

    private static double Percentile(IEnumerable<double> values, double part)
    {
        var sorted = values.Order().ToList();
        return sorted.Count == 0 ? double.NaN : sorted[Math.Min(sorted.Count - 1, (int)(part * sorted.Count))];
    }

    /// <summary>A request: seconds of audio, milliseconds until the first of it, seconds until the last.</summary>
    private sealed record Result(double Audio, double First, double Total)
    {
        /// <summary>When it was made, in seconds of the load.</summary>
        public double Began { get; init; }

        public double Ended => Began + Total;
    }

    internal sealed record Row(string Mode, int Concurrency, int Requests, int Failures, double AudioSecondsPerSecond,
        double? SteadyAudioSecondsPerSecond, double WarmSeconds, string Passes, double TtfaMsP50, double TtfaMsP95, double RtfP50,
        Dictionary<string, double> StageFactors, double? DeviceMegabytes);
}
