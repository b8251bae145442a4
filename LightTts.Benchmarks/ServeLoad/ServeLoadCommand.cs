using System.Collections.Concurrent;
using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Net.WebSockets;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace LightTts.Benchmarks.ServeLoad;

/// <summary><c>serve-load</c>: closed-loop workers over HTTP and web sockets against a server that runs
/// (this one or LightTTS's own: the wire is the same), in the tables of LightTTS's clients.</summary>
internal static class ServeLoadCommand
{
    private static readonly JsonSerializerOptions Json = new(SpeakCommand.JsonOptions)
    {
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals, // a row without an answer has no percentiles
    };

    public static Command Create()
    {
        var url = new Option<string>("--url") { Description = "The server.", DefaultValueFactory = _ => "http://localhost:8080" };
        var modes = new Option<string>("--modes") { Description = "whole, stream and bistream, comma-separated.", DefaultValueFactory = _ =>
            "whole,stream,bistream" };
        var workers = new Option<string>("--concurrency") { Description = "Workers at once, comma-separated.", DefaultValueFactory = _ =>
            "1,2,4,8" };
        var requests = new Option<int>("--requests") { Description = "Requests of a row, of all workers together.", DefaultValueFactory = _ => 50 };
        var voice = new Option<FileInfo?>("--prompt") { Description = "Reference audio. Default: one of the embedded voices." };
        var transcript = new Option<string>("--prompt-text") { Description = "What is said in it.", DefaultValueFactory = _ =>
            "You are a helpful assistant.<|endofprompt|>The garden looks lovely this morning." };
        var texts = new Option<FileInfo?>("--texts") { Description = "Texts: a JSON array of strings, or a text a line. Default: six English ones." };
        var key = new Option<string?>("--key") { Description = "API key." };
        var reuse = new Option<bool>("--reuse") { Description = "Keep connections; LightTTS's clients open one for each request." };
        var rounds = new Option<int>("--rounds") { Description = "Instead of the tables: so many rounds of --requests, each with the server and "
            + "with the library in this process, and what HTTP costs. The server must run the same model." };
        var model = new Option<string?>("--model") { Description = "With --rounds: the model directory. Default: the embedded voice." };
        var json = new Option<FileInfo?>("--json") { Description = "File to write the rows to." };
        var command = new Command("serve-load", "Load on a server that runs: latency and requests a second.") { url, modes, workers, requests, voice,
            transcript, texts, key, reuse, rounds, model, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            if (!Uri.TryCreate(parsed.GetValue(url), UriKind.Absolute, out var server) || server.Scheme is not ("http" or "https"))
                return Refuse($"--url is '{parsed.GetValue(url)}'; use an address such as http://localhost:8080.");
            List<ServeMode> kinds = [];
            foreach (var name in Split(parsed.GetValue(modes)!))
            {
                if (!Enum.TryParse<ServeMode>(name, ignoreCase: true, out var kind) || !Enum.IsDefined(kind))
                    return Refuse($"--modes has '{name}'; use whole, stream and bistream.");
                kinds.Add(kind);
            }
            List<int> counts = [];
            foreach (var number in Split(parsed.GetValue(workers)!))
            {
                if (!int.TryParse(number, CultureInfo.InvariantCulture, out var count) || count < 1)
                    return Refuse($"--concurrency has '{number}'; use numbers from 1.");
                counts.Add(count);
            }
            var prompt = parsed.GetValue(voice)?.FullName ?? Path.Combine(TtsPipeline.DefaultModelPath, "prompts", "slt.wav");
            var lines = parsed.GetValue(texts) is { } file ? await ReadTextsAsync(file, cancellation) : LoadCommand.Texts;
            using var call = new SpeechCall(server, await File.ReadAllBytesAsync(prompt, cancellation),
                parsed.GetValue(transcript)!, parsed.GetValue(key), parsed.GetValue(reuse));
            if (parsed.GetValue(rounds) is > 0 and var pairs)
                return await CompareAsync(call, prompt, parsed.GetValue(transcript)!, parsed.GetValue(model), kinds, counts, pairs,
                    parsed.GetValue(requests), lines, cancellation);
            List<ServeLoadRow> rows = [];
            Console.WriteLine(ServeLoadRow.Heading);
            foreach (var mode in kinds)
            {
                foreach (var count in counts)
                {
                    var row = await RunAsync(call, mode, count, parsed.GetValue(requests), lines, cancellation);
                    rows.Add(row);
                    Console.WriteLine(row);
                    foreach (var (message, times) in row.ErrorMessages)
                        Console.Error.WriteLine($"  {times} times: {message}");
                }
            }
            if (parsed.GetValue(json) is { } output)
                await File.WriteAllTextAsync(output.FullName, JsonSerializer.Serialize(rows, Json), cancellation);
            return rows.Exists(row => row.Errors > 0) ? 1 : 0;
        });
        return command;
    }

    private static async Task<int> CompareAsync(SpeechCall server, string prompt, string transcript, string? model, List<ServeMode> modes,
        List<int> workers, int rounds, int requests, IReadOnlyList<string> texts, CancellationToken cancellation)
    {
        await using var pipeline = await TtsPipeline.LoadAsync(new TtsPipelineOptions
        {
            ModelPath = model,
            Timbres = new TimbreStoreOptions { Shared = false },
        }, null, cancellation);
        var audio = AudioClip.FromWav(new MemoryStream(await File.ReadAllBytesAsync(prompt, cancellation)));
        // The greeting before the mark is the seed system's way to write a transcript.
        var words = transcript[(transcript.LastIndexOf('>') + 1)..];
        var library = new LibraryCall(pipeline, await pipeline.Timbres.AddAsync(audio, words, null, cancellation));
        foreach (var mode in modes)
            foreach (var count in workers)
                Console.WriteLine(await HttpCost.MeasureAsync(mode, count, rounds, http =>
                    RunAsync(http ? server : library, mode, count, requests, texts, cancellation)));
        return 0;
    }

    private static async Task<ServeLoadRow> RunAsync(ISpeechCall call, ServeMode mode, int workers, int requests, IReadOnlyList<string> texts,
        CancellationToken cancellation)
    {
        ConcurrentBag<CallResult> good = [];
        ConcurrentBag<string> errors = [];
        var next = -1;
        var before = await call.ProcessorSecondsAsync(cancellation);
        var watch = Stopwatch.StartNew();
        await Task.WhenAll(Enumerable.Range(0, workers).Select(async _ =>
        {
            for (int number; (number = Interlocked.Increment(ref next)) < requests;)
            {
                try
                {
                    good.Add(await call.SpeakAsync(mode, texts[number % texts.Count], cancellation));
                }
                catch (Exception e) when (e is HttpRequestException or WebSocketException or IOException or InvalidDataException
                    || (e is OperationCanceledException && !cancellation.IsCancellationRequested))
                {
                    errors.Add(e.Message);
                }
            }
        }));
        var elapsed = watch.Elapsed.TotalSeconds;
        return ServeLoadRow.Create(mode, workers, elapsed, [.. good], [.. errors]) with
        {
            ProcessorSeconds = await call.ProcessorSecondsAsync(cancellation) - before,
        };
    }

    private static async Task<IReadOnlyList<string>> ReadTextsAsync(FileInfo file, CancellationToken cancellation)
    {
        var text = await File.ReadAllTextAsync(file.FullName, cancellation);
        var lines = text.TrimStart().StartsWith('[') ? JsonSerializer.Deserialize<string[]>(text)!
            : text.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        return lines.Length > 0 ? lines : throw new InvalidDataException($"{file.Name} has no texts.");
    }

    private static int Refuse(string message)
    {
        Console.Error.WriteLine(message);
        return 2;
    }

    private static string[] Split(string list) => list.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
}
