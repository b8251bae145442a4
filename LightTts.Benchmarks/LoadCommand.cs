using System.Collections.Concurrent;
using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using LightTts.Benchmarks.Ledger;
using LightTts.Benchmarks.Paced;

namespace LightTts.Benchmarks;

/// <summary><c>load</c>: many listeners at once. Closed loop: each asks again at once, for throughput. Paced: each plays what it hears, as people do.
/// Poisson: requests come at random.</summary>
/// <remarks>Closed-loop listeners begin one after the other within the time of a request, as listeners do, and
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
        var concurrency = new Option<string>("--concurrency") { Description = "Closed-loop listeners at once, comma-separated.",
            DefaultValueFactory = _ => "1,2,4,8,16" };
        var modes = new Option<string>("--modes") { Description = "Closed loop: whole, stream, or both, comma-separated.", DefaultValueFactory = _ =>
            "whole,stream" };
        var requests = new Option<int>("--requests") { Description = "Requests of each closed-loop listener, after one warm one.",
            DefaultValueFactory = _ => 4 };
        var burst = new Option<bool>("--burst") { Description = "All closed-loop listeners begin in the same moment." };
        var paced = new Option<string?>("--paced") { Description = "Paced listeners at once, comma-separated, instead of a closed loop: each plays "
            + "what it hears in real time, pauses 0 to 0.5 s and asks again." };
        var poisson = new Option<string?>("--poisson") { Description = "Requests a second that come at random, comma-separated (an open loop)." };
        var largest = new Option<int?>("--max-listeners") { Description = "Look for the largest number of paced listeners, up to this one, without "
            + "an underrun, a failure or a late first audio." };
        var limit = new Option<double>("--limit-ms") { Description = "What is late, for one first audio in a hundred.", DefaultValueFactory = _ =>
            300 };
        var seconds = new Option<double>("--seconds") { Description = "How long each paced or open load takes.", DefaultValueFactory = _ => 30 };
        var ramp = new Option<double>("--ramp") { Description = "Seconds in which paced listeners begin, before what counts.",
            DefaultValueFactory = _ => 12 };
        var text = new Option<string>("--text") { Description = "What paced listeners ask for. Default: about ten seconds in the embedded voices.",
            DefaultValueFactory = _ => SpeakCommand.Text };
        var json = new Option<FileInfo?>("--json") { Description = "File to write the rows to." };
        var device = DeviceOption.Create();
        var precision = new Option<ComputePrecision>("--precision")
        { Description = "auto, float32, bfloat16, float16 or int8.", DefaultValueFactory = _ => ComputePrecision.Float32 };
        var natives = new Option<string?>("--natives") { Description = "Folder with libtorch's libraries." };
        var model = new Option<string?>("--model") { Description = "Model directory. Default: the embedded voice." };
        var shared = new ResultOptions();
        var account = LedgerOption.Create();
        var command = new Command("load", "Many listeners at once: throughput, time to first audio, gaps in what they hear.")
        {
            concurrency, modes, requests, burst, paced, poisson, largest, limit, seconds, ramp, text, json, device, precision, natives, model,
            account,
        };
        shared.AddTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            var (kind, index, devices) = parsed.GetValue(device);
            using var ledger = DeviceLedger.Open(parsed.GetValue(account), parsed.GetValue(natives));
            await using var pipeline = await BenchPipeline.LoadAsync(new TtsPipelineOptions
            {
                Device = kind,
                DeviceIndex = index,
                Devices = devices,
                Precision = parsed.GetValue(precision),
                NativeLibraryPath = parsed.GetValue(natives),
                ModelPath = parsed.GetValue(model),
                MaxActiveRequests = 1024,
            }, parsed.GetValue(shared.SpeechTokens), cancellation);
            Console.WriteLine($"{pipeline.Model.Name} on {pipeline.Model.DeviceName}, {pipeline.Model.Precision.ToString().ToLowerInvariant()}, "
                + $"{Environment.ProcessorCount} cores");
            var (pacedCounts, rates) = (Numbers(parsed.GetValue(paced)), Numbers(parsed.GetValue(poisson)));
            var isPaced = pacedCounts.Count + rates.Count > 0 || parsed.GetValue(largest) is not null;
            List<ClosedLoad.Row> closed = [];
            if (!isPaced || parsed.GetResult(concurrency) is { Implicit: false })
                closed = await CloseAsync(pipeline, parsed.GetValue(modes)!, Numbers(parsed.GetValue(concurrency)), parsed.GetValue(requests),
                    parsed.GetValue(burst), cancellation);
            foreach (var (mode, key) in (ReadOnlySpan<(string, string)>)[("stream", "streamed"), ("whole", "whole")])
            {
                var good = closed.Where(row => row.Mode.StartsWith(mode, StringComparison.OrdinalIgnoreCase) && row.Failures == 0).ToList();
                shared.Write(parsed, $"{key}_audio_s_per_s", good.Select(row => (double?)row.AudioSecondsPerSecond).Max());
                shared.Write(parsed, $"{key}_steady_audio_s_per_s", good.Select(row => row.SteadyAudioSecondsPerSecond).Max());
            }
            List<PacedRow> open = [];
            if (isPaced)
            {
                var told = new ConcurrentDictionary<string, bool>();
                var load = new PacedLoad(pipeline, TimeProvider.System, (listener, turn) => Request(pipeline, parsed.GetValue(text)!, listener, turn))
                {
                    Failed = error =>
                    {
                        if (told.TryAdd(error.Message, true))
                            Console.Error.WriteLine(error.Message);
                    },
                };
                var (start, length) = (TimeSpan.FromSeconds(parsed.GetValue(ramp)), TimeSpan.FromSeconds(parsed.GetValue(seconds)));
                await WarmAsync(pipeline, parsed.GetValue(text)!, cancellation);
                Console.WriteLine(PacedRow.Heading);
                async Task<PacedRow> ListenAsync(int listeners)
                {
                    ledger?.Discard();
                    ledger?.Enter();
                    var stages = new StageTimes();
                    stages.Start();
                    var row = await load.ListenAsync(listeners, start, length, cancellation);
                    ledger?.Leave();
                    var busy = stages.Stop().ToDictionary(pair => pair.Key, pair => pair.Value / (start + length).TotalSeconds);
                    ledger?.Write($"{listeners} paced listeners, their ramp included", "second", (start + length).TotalSeconds,
                        $"  {row}\n  stages busy, of real time: {StageTimes.Format(busy)}\n\n");
                    open.Add(row);
                    Console.WriteLine(row);
                    return row;
                }
                foreach (var listeners in pacedCounts.Select(count => (int)count))
                {
                    var row = await ListenAsync(listeners);
                    shared.Write(parsed, $"listeners{listeners}_first_audio_p50_ms", row.FirstAudioMsP50);
                    shared.Write(parsed, $"listeners{listeners}_first_audio_p99_ms", row.FirstAudioMsP99);
                    shared.Write(parsed, $"listeners{listeners}_underruns", row.Underruns);
                    shared.Write(parsed, $"listeners{listeners}_failures", row.Failures);
                }
                foreach (var rate in rates)
                {
                    var row = await load.ArriveAsync(rate, length, cancellation);
                    open.Add(row);
                    Console.WriteLine(row);
                    var name = string.Create(CultureInfo.InvariantCulture, $"poisson{rate:0.##}").Replace('.', '_');
                    shared.Write(parsed, $"{name}_first_audio_p99_ms", row.FirstAudioMsP99);
                    shared.Write(parsed, $"{name}_underruns", row.Underruns);
                }
                if (parsed.GetValue(largest) is { } most)
                {
                    var first = pipeline.Model.Device == ComputeDevice.Cuda ? 32 : 1;
                    var found = await LargestThatHolds.FindAsync(first, most, async listeners =>
                        (await ListenAsync(listeners)).Holds(parsed.GetValue(limit)));
                    Console.WriteLine($"largest number of paced listeners: {found}");
                    shared.Write(parsed, "max_listeners", found);
                }
            }
            if (parsed.GetValue(json) is { } file)
                await File.WriteAllTextAsync(file.FullName, isPaced
                    ? JsonSerializer.Serialize(new { closed, paced = open }, SpeakCommand.JsonOptions)
                    : JsonSerializer.Serialize(closed, SpeakCommand.JsonOptions), cancellation);
            return closed.Exists(row => row.Failures > 0) || (parsed.GetValue(largest) is null && open.Exists(row => row.Failures > 0)) ? 1 : 0;
        });
        return command;
    }

    private static async Task<List<ClosedLoad.Row>> CloseAsync(TtsPipeline pipeline, string modes, List<double> counts, int requests, bool burst,
        CancellationToken cancellation)
    {
        Console.WriteLine("mode    concurrency  requests  failures  audio s/s  first audio ms p50   p95   RTF p50   busy in stages, of real "
            + "time; device memory; audio s/s while all were at it; the warm round; passes");
        List<ClosedLoad.Row> rows = [];
        foreach (var mode in modes.Split(',', StringSplitOptions.TrimEntries))
        {
            foreach (var listeners in counts)
            {
                var row = await ClosedLoad.RunAsync(pipeline, mode, (int)listeners, requests, burst, cancellation);
                rows.Add(row);
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"{row.Mode,-7} {row.Concurrency,11} {row.Requests,9} {row.Failures,9} {row.AudioSecondsPerSecond,10:0.00} "
                    + $"{row.TtfaMsP50,19:0} {row.TtfaMsP95,5:0} {row.RtfP50,9:0.000}   "
                    + $"{StageTimes.Format(row.StageFactors)}{(row.DeviceMegabytes is { } mb ? $"; {mb:0} MB" : "")}; "
                    + $"{row.SteadyAudioSecondsPerSecond:0.00}; {row.WarmSeconds:0.0} s; {row.Passes}"));
            }
        }
        return rows;
    }

    // Whatever is compiled, allocated or looked up at first belongs to no listener.
    private static async Task WarmAsync(TtsPipeline pipeline, string text, CancellationToken cancellation)
    {
        for (var turn = 0; turn < 2; turn++)
            await foreach (var _ in pipeline.SynthesizeAsync(Request(pipeline, text, 0, turn), cancellation))
            {
            }
    }

    private static SynthesisRequest Request(TtsPipeline pipeline, string text, int listener, int turn)
    {
        var voices = pipeline.Model.Voices;
        return new SynthesisRequest
        {
            Text = text,
            Voice = voices.Count > 0 ? voices[listener % voices.Count].Name : null,
            Delivery = AudioDelivery.Streaming,
            Seed = listener * 1000 + turn,
        };
    }

    private static List<double> Numbers(string? list) =>
        [.. (list ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            .Select(number => double.Parse(number, CultureInfo.InvariantCulture))];
}
