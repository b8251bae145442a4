using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using LightTts.Benchmarks.Ledger;
using LightTts.Cuda;
using LightTts.Torch;

namespace LightTts.Benchmarks;

/// <summary><c>speak</c>: one listener, a text of about ten seconds: real-time factor,
/// time to first audio, load time, peak memory, and where the time goes.</summary>
internal static class SpeakCommand
{
    /// <summary>About ten seconds in the embedded voices, as one utterance.</summary>
    public const string Text =
        "The old lighthouse stood on a rocky cliff above the sea, and every evening its light turned slowly over the dark water, showing the fishing "
        + "boats the safe way home to the harbour.";

    public static Command Create()
    {
        var runs = new Option<int>("--runs") { Description = "Counted runs of each mode, after two warm ones.", DefaultValueFactory = _ => 7 };
        var steps = new Option<int?>("--steps") { Description = "Solver steps. Default: what the model recommends." };
        var firstSteps = new Option<int?>("--first-steps") { Description = "Solver steps of a stream's first chunk. Default: as the others." };
        var precision = new Option<ComputePrecision>("--precision")
        { Description = "auto, float32, bfloat16, float16 or int8.", DefaultValueFactory = _ => ComputePrecision.Float32 };
        var device = DeviceOption.Create();
        var natives = new Option<string?>("--natives") { Description = "Folder with libtorch's libraries." };
        var model = new Option<string?>("--model") { Description = "Model directory. Default: the embedded voice." };
        var text = new Option<string>("--text") { Description = "What to say.", DefaultValueFactory = _ => Text };
        var json = new Option<FileInfo?>("--json") { Description = "File to write the figures to." };
        var timeline = new Option<bool>("--timeline") { Description = "Also tells of one streamed request what happened to it and when." };
        var account = LedgerOption.Create();
        var command = new Command("speak", "One listener: real-time factor, time to first audio, load time, peak memory.") { runs, steps, firstSteps,
            precision,
            device, natives, model, text, json, timeline, account };
        var shared = new ResultOptions();
        shared.AddTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            var (kind, index, devices) = parsed.GetValue(device);
            var options = new TtsPipelineOptions
            {
                Precision = parsed.GetValue(precision),
                Device = kind,
                DeviceIndex = index,
                Devices = devices,
                NativeLibraryPath = parsed.GetValue(natives),
                ModelPath = parsed.GetValue(model),
            };
            using var ledger = DeviceLedger.Open(parsed.GetValue(account), options.NativeLibraryPath);
            var watch = Stopwatch.StartNew();
            await using var pipeline = await BenchPipeline.LoadAsync(options, parsed.GetValue(shared.SpeechTokens), cancellation);
            var loaded = watch.Elapsed;
            shared.Write(parsed, "load_s", (DateTime.Now - Process.GetCurrentProcess().StartTime).TotalSeconds);
            List<Row> rows = [];
            var flowSteps = (parsed.GetValue(steps), parsed.GetValue(firstSteps));
            foreach (var mode in (AudioDelivery[])[AudioDelivery.Whole, AudioDelivery.Streaming])
                rows.Add(await MeasureAsync(pipeline, mode, parsed.GetValue(text)!, flowSteps, parsed.GetValue(runs), ledger,
                    cancellation));
            var result = new Result(pipeline.Model.Name, pipeline.Model.DeviceName, pipeline.Model.Precision.ToString().ToLowerInvariant(),
                Environment.ProcessorCount,
                loaded.TotalSeconds,
                Process.GetCurrentProcess().PeakWorkingSet64 / 1e6, CudaMemory.Used() / 1e6, rows);
            Print(result);
            shared.Write(parsed, "first_audio_ms", rows[^1].FirstAudioMs);
            shared.Write(parsed, "rtf_whole", rows[0].RealTimeFactor);
            shared.Write(parsed, "rtf_streamed", rows[^1].RealTimeFactor);
            if (parsed.GetValue(timeline) || ledger is not null)
            {
                var request = Request(AudioDelivery.Streaming, parsed.GetValue(text)!, flowSteps);
                ledger?.Enter();
                var told = (await RequestTimeline.WatchAsync(pipeline.SynthesizeAsync(request, cancellation))).ToString();
                ledger?.Leave();
                Console.Write(told);
                ledger?.Write("one streamed request, as in the timeline", "request", more: told);
            }
            if (parsed.GetValue(json) is { } file)
                await File.WriteAllTextAsync(file.FullName, JsonSerializer.Serialize(result, JsonOptions), cancellation);
        });
        return command;
    }

    internal static JsonSerializerOptions JsonOptions { get; } = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        WriteIndented = true,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals, // a row whose requests all failed has no times
    };

    private static async Task<Row> MeasureAsync(TtsPipeline pipeline, AudioDelivery mode, string text, (int? All, int? First) steps, int runs,
        DeviceLedger? ledger, CancellationToken cancellation)
    {
        const int warm = 2;
        List<double> factors = [], firsts = [];
        var stages = new StageTimes();
        double audio = 0, first = 0;
        for (var run = -warm; run < runs; run++)
        {
            if (run == 0)
            {
                ledger?.Discard();
                stages.Start();
            }
            ledger?.Enter();
            var watch = Stopwatch.StartNew();
            long samples = 0;
            first = 0;
            await foreach (var chunk in pipeline.SynthesizeAsync(Request(mode, text, steps), cancellation))
            {
                if (samples == 0)
                    first = watch.Elapsed.TotalMilliseconds;
                samples += chunk.Samples.Length;
            }
            ledger?.Leave();
            audio = samples / (double)pipeline.Model.SampleRate;
            if (run < 0)
                continue;
            factors.Add(watch.Elapsed.TotalSeconds / audio);
            firsts.Add(first);
        }
        var busy = stages.Stop().ToDictionary(pair => pair.Key, pair => pair.Value / runs / audio);
        ledger?.Write($"{mode}, {audio:0.0} s of audio, {runs} times, one listener", "second of audio", runs * audio,
            $"  stages busy, seconds a second of audio: {StageTimes.Format(busy)}\n\n");
        return new Row(mode.ToString().ToLowerInvariant(), steps.All
            ?? pipeline.Model.FlowSteps, audio, Median(factors), factors.Min(), Median(firsts), firsts.Min(), busy);
    }

    private static SynthesisRequest Request(AudioDelivery mode, string text, (int? All, int? First) steps) =>
        new() { Text = text, Delivery = mode, FlowSteps = steps.All, FirstFlowSteps = steps.First, Seed = 1 };

    internal static double Median(List<double> values)
    {
        var sorted = values.Order().ToList();
        return sorted.Count % 2 == 1 ? sorted[sorted.Count / 2] : (sorted[sorted.Count / 2 - 1] + sorted[sorted.Count / 2]) / 2;
    }

    private static void Print(Result result)
    {
        string Line(FormattableString line) => line.ToString(CultureInfo.InvariantCulture);
        Console.Write(Line($"{result.Model} on {result.Device}, {result.Precision}, {result.Cores} cores; loaded in {result.LoadSeconds:0.00} s, "));
        Console.Write(Line($"peak memory {result.PeakMegabytes:0} MB"));
        Console.WriteLine(result.DeviceMegabytes is { } megabytes ? Line($", device memory {megabytes:0} MB") : "");
        Console.WriteLine("mode       steps  audio s  RTF median (min)   first audio ms median (min)   busy in stages, of real time");
        foreach (var row in result.Rows)
        {
            Console.Write(Line($"{row.Mode,-10} {row.Steps,5}  {row.AudioSeconds,7:0.00}  "));
            Console.Write(Line($"{row.RealTimeFactor:0.000} ({row.RealTimeFactorMin:0.000})      "));
            Console.Write(Line($"{row.FirstAudioMs,6:0} ({row.FirstAudioMsMin:0})                   "));
            Console.WriteLine(StageTimes.Format(row.StageFactors));
        }
    }

    internal sealed record Row(string Mode, int Steps, double AudioSeconds, double RealTimeFactor, double RealTimeFactorMin, double FirstAudioMs,
        double FirstAudioMsMin,
        Dictionary<string, double> StageFactors);

    internal sealed record Result(string Model, string Device, string Precision, int Cores, double LoadSeconds, double PeakMegabytes,
        double? DeviceMegabytes, List<Row> Rows);
}
