using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using LightTts.Cuda;
using LightTts.Torch;

namespace LightTts.Benchmarks;

/// <summary><c>load</c>: closed-loop listeners, each asking again at once: audio seconds per second and time to first audio.</summary>
/// <remarks>They begin one after the other within the time of a request, as listeners do, and
/// then keep the pace that they find; with <c>--burst</c> all in the same moment.</remarks>
internal static class LoadCommand
{
    public static readonly string[] Texts =
    [
        "The quick brown fox jumps over the lazy dog, and then it sleeps under the old tree.",
        "Please close the window before you leave the house, because it will rain tonight.",
        "The train to Boston leaves at half past seven in the morning from the second platform.",
        "She sells fresh bread and apples at the market every Saturday, rain or shine.",
        "My brother wrote a long letter about his journey through the mountains last summer.",
        "There are many reasons to learn a new language, and the best one is to meet people.",
    ];

    public static Command Create()
    {
        var concurrency = new Option<string>("--concurrency") { Description = "Listeners at once, comma-separated.", DefaultValueFactory = _ =>
            "1,2,4,8,16" };
        var modes = new Option<string>("--modes") { Description = "whole, stream, or both, comma-separated.", DefaultValueFactory = _ =>
            "whole,stream" };
        var requests = new Option<int>("--requests") { Description = "Requests of each listener, after one warm one.", DefaultValueFactory = _ => 4 };
        var burst = new Option<bool>("--burst") { Description = "All listeners begin in the same moment." };
        var json = new Option<FileInfo?>("--json") { Description = "File to write the rows to." };
        var device = new Option<ComputeDevice>("--device") { Description = "auto, cpu or cuda.", DefaultValueFactory = _ => ComputeDevice.Cpu };
        var precision = new Option<ComputePrecision>("--precision") { Description = "auto, float32, bfloat16 or int8.", DefaultValueFactory = _ =>
            ComputePrecision.Float32 };
        var natives = new Option<string?>("--natives") { Description = "Folder with libtorch's libraries." };
        var model = new Option<string?>("--model") { Description = "Model directory. Default: the embedded voice." };
        var command = new Command("load", "Many listeners at once: throughput and time to first audio.") { concurrency, modes, requests, burst, json,
            device, precision, natives, model };
        command.SetAction(async (parsed, cancellation) =>
        {
            await using var pipeline = await TtsPipeline.LoadAsync(new TtsPipelineOptions
            {
                Device = parsed.GetValue(device),
                Precision = parsed.GetValue(precision),
                NativeLibraryPath = parsed.GetValue(natives),
                ModelPath = parsed.GetValue(model),
                MaxActiveRequests = 1024,
                Timbres = new TimbreStoreOptions { Shared = false },
            }, null, cancellation);
            Console.WriteLine($"{pipeline.Model.Name} on {pipeline.Model.DeviceName}, {pipeline.Model.Precision.ToString().ToLowerInvariant()}, "
                + $"{Environment.ProcessorCount} cores");
            Console.WriteLine("mode    concurrency  requests  failures  audio s/s  first audio ms p50   p95   RTF p50   busy in stages, of real "
                + "time; device memory");
            List<Row> rows = [];
            foreach (var mode in parsed.GetValue(modes)!.Split(',', StringSplitOptions.TrimEntries))
            {
                foreach (var listeners in parsed.GetValue(concurrency)!.Split(',').Select(number => int.Parse(number, CultureInfo.InvariantCulture)))
                {
                    var row = await RunAsync(pipeline, mode, listeners, parsed.GetValue(requests), parsed.GetValue(burst), cancellation);
                    rows.Add(row);
                    Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                        $"{row.Mode,-7} {row.Concurrency,11} {row.Requests,9} {row.Failures,9} {row.AudioSecondsPerSecond,10:0.00} "
                        + $"{row.TtfaMsP50,19:0} {row.TtfaMsP95,5:0} {row.RtfP50,9:0.000}   "
                        + $"{StageTimes.Format(row.StageFactors)}{(row.DeviceMegabytes is { } mb ? $"; {mb:0} MB" : "")}"));
                }
            }
            if (parsed.GetValue(json) is { } file)
                await File.WriteAllTextAsync(file.FullName, JsonSerializer.Serialize(rows, SpeakCommand.JsonOptions), cancellation);
            return rows.Exists(row => row.Failures > 0) ? 1 : 0;
        });
        return command;
    }

    private static async Task<Row> RunAsync(TtsPipeline pipeline, string mode, int listeners, int requests, bool burst,
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
            Text = Texts[(listener + turn) % Texts.Length],
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
