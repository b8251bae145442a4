using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using LightTts.Timbres;

namespace LightTts.Benchmarks.Timbres;

/// <summary><c>timbres --json FILE</c>: what finding a voice costs, in seconds instead of BenchmarkDotNet's minutes.</summary>
internal static class TimbresCommand
{
    private const int Rounds = 15;
    private const double ReaderSeconds = 2;

    public static Command Create()
    {
        var json = new Option<string?>("--json") { Description = "Where to write the result; standard output by default." };
        var model = new Option<string?>("--model") { Description = "A model directory; the embedded voice by default." };
        var reader = new Option<string[]>("--reader") { Hidden = true, AllowMultipleArgumentsPerToken = true };
        var command = new Command("timbres", "Measures the timbre store.") { json, model, reader };
        command.SetAction(parsed => parsed.GetValue(reader) is { Length: 3 } part ? Read(part[0], part[1], part[2])
            : Measure(parsed.GetValue(json), parsed.GetValue(model)));
        return command;
    }

    private static int Measure(string? json, string? model)
    {
        var parent = Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath();
        var folder = Directory.CreateDirectory(Path.Combine(parent, "lighttts-bench-" + Guid.NewGuid().ToString("N"))).FullName;
        try
        {
            var segment = Path.Combine(folder, "voices");
            using var bench = new TimbreBench(segment, model);
            var ownHit = Microseconds(() => bench.OwnHit(), 100_000);
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < 1000; i++)
                bench.OwnHit();
            var ownBytes = (GC.GetAllocatedBytesForCurrentThread() - before) / 1000.0;
            var segmentHit = Microseconds(() => bench.SegmentHit(), 500);
            var addAgain = Microseconds(() => bench.AddAgain(), 50);
            var miss = Microseconds(() => bench.Miss(), 1);
            var (one, eight) = (Readers(segment, bench, 1), Readers(segment, bench, 8));
            var result = new Dictionary<string, double>
            {
                ["own_hit_us"] = ownHit,
                ["own_hit_bytes"] = ownBytes,
                ["segment_hit_us"] = segmentHit,
                ["add_again_us"] = addAgain,
                ["miss_ms"] = miss / 1000,
                ["miss_over_segment_hit"] = miss / segmentHit,
                ["readers_1_hits_per_s"] = one,
                ["readers_8_hits_per_s"] = eight,
                ["readers_8_scaling"] = eight / one,
                ["cores"] = Environment.ProcessorCount,
                ["prompt_s"] = bench.PromptSeconds,
            };
            var text = JsonSerializer.Serialize(result.ToDictionary(pair => pair.Key, pair => Math.Round(pair.Value, 4)),
                new JsonSerializerOptions { WriteIndented = true });
            if (json is null)
                Console.WriteLine(text);
            else
                File.WriteAllText(json, text);
            return 0;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>The best of several rounds: what it costs when nothing else runs.</summary>
    private static double Microseconds(Action action, int repetitions)
    {
        for (var i = 0; i < repetitions; i++)
            action();
        var best = double.MaxValue;
        for (var round = 0; round < Rounds; round++)
        {
            var start = Stopwatch.GetTimestamp();
            for (var i = 0; i < repetitions; i++)
                action();
            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalMicroseconds / repetitions);
        }
        return best;
    }

    /// <summary>Segment hits a second of several processes together.</summary>
    private static double Readers(string segment, TimbreBench bench, int processes)
    {
        var readers = Enumerable.Range(0, processes).Select(_ =>
        {
            var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardInput = true, RedirectStandardOutput = true };
            if (Path.GetFileNameWithoutExtension(start.FileName) == "dotnet")
                start.ArgumentList.Add(typeof(TimbresCommand).Assembly.Location);
            foreach (var argument in new[] { "timbres", "--reader", segment, bench.ExtractorId, bench.Id })
                start.ArgumentList.Add(argument);
            // Compiled once and for all: eight compilers in the background would take the processors from the readers during the measurement.
            start.Environment["DOTNET_TieredCompilation"] = "0";
            return Process.Start(start)!;
        }).ToList();
        foreach (var reader in readers)
            reader.StandardOutput.ReadLine();
        foreach (var reader in readers)
            reader.StandardInput.WriteLine("go");
        var rates = readers.Select(reader => double.Parse(reader.StandardOutput.ReadLine()!, CultureInfo.InvariantCulture)).ToList();
        foreach (var reader in readers)
        {
            reader.WaitForExit();
            reader.Dispose();
        }
        return rates.Sum();
    }

    /// <summary>The part of a reader process: says that it is warm, waits for the start, says how many hits a second it had.</summary>
    private static int Read(string segment, string extractorId, string id)
    {
        using var store = new TimbreStore(TimbreBench.Options(segment), extractorId, (_, _, _) =>
            throw new InvalidOperationException("readers extract nothing"));
        TimbreKey.TryParse(id, out var key);
        for (var i = 0; i < 2000; i++)
            Hit();
        Console.WriteLine("ready");
        Console.ReadLine();
        var (hits, start) = (0, Stopwatch.GetTimestamp());
        double seconds;
        while ((seconds = Stopwatch.GetElapsedTime(start).TotalSeconds) < ReaderSeconds)
        {
            Hit();
            hits++;
        }
        Console.WriteLine((hits / seconds).ToString(CultureInfo.InvariantCulture));
        return 0;

        void Hit()
        {
            store.Cache.Remove(key);
            if (store.GetAsync(id).Result is null)
                throw new InvalidOperationException("the voice is not in the segment");
        }
    }
}
