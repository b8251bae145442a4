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
        var apart = burst ? TimeSpan.Zero : watch.Elapsed / listeners;
        var stages = new StageTimes();
        stages.Start();
        watch.Restart();
        var results = await Task.WhenAll(Enumerable.Range(0, listeners).Select(async listener =>
        {
            List<(double Audio, double First, double Total)?> mine = [];
            await Task.Delay(listener * apart, cancellation);
            for (var i = 0; i < requests; i++)
                mine.Add(await SpeakAsync(pipeline, synthesis, listener, i + 1, cancellation));
            return mine;
        }));
        var elapsed = watch.Elapsed.TotalSeconds;
        var busy = stages.Stop();
        var done = results.SelectMany(mine => mine).ToList();
        var good = done.Where(result => result is not null).Select(result => result!.Value).ToList();
        var audio = good.Sum(result => result.Audio);
        return new Row(mode, listeners, done.Count, done.Count - good.Count, audio / elapsed,
            Percentile(good.Select(result => result.First), 0.5), Percentile(good.Select(result => result.First), 0.95),
            Percentile(good.Select(result => result.Total / result.Audio), 0.5),
            busy.ToDictionary(pair => pair.Key, pair => audio > 0 ? pair.Value / audio : 0), CudaMemory.Used() / 1e6);
    }

    private static async Task<(double Audio, double First, double Total)?> SpeakAsync(TtsPipeline pipeline, AudioDelivery mode, int listener,
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
        return (samples / (double)pipeline.Model.SampleRate, first, watch.Elapsed.TotalSeconds);
    }

    private static double Percentile(IEnumerable<double> values, double part)
    {
        var sorted = values.Order().ToList();
        return sorted.Count == 0 ? double.NaN : sorted[Math.Min(sorted.Count - 1, (int)(part * sorted.Count))];
    }

    internal sealed record Row(string Mode, int Concurrency, int Requests, int Failures, double AudioSecondsPerSecond, double TtfaMsP50,
        double TtfaMsP95, double RtfP50,
        Dictionary<string, double> StageFactors, double? DeviceMegabytes);
}
