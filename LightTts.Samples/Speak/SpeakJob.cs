using System.Diagnostics;
using System.Globalization;

namespace LightTts.Samples.Speak;

/// <summary>One run of the main command.</summary>
internal sealed record SpeakJob
{
    public required string? Text { get; init; }

    public required string? File { get; init; }

    public required string Output { get; init; }

    public required FileInfo? Prompt { get; init; }

    public required string? PromptText { get; init; }

    public required bool Quiet { get; init; }

    public required SynthesisRequest Request { get; init; }

    public bool ToStandardOutput => Output == "-";

    /// <summary>What is wrong with the options, or null.</summary>
    public string? Problem()
    {
        if (Text is not null && File is not null)
            return "there is a text and a --file; use one of them.";
        if (Text is null && File is null && !Console.IsInputRedirected)
            return "there is nothing to say. Try: speak \"Hello from LightTts.\" -o hello.wav (or --help)";
        if (PromptText is not null && Prompt is null)
            return "--prompt-text belongs to a --prompt.";
        if (Prompt is not null && Request.Voice is not null)
            return "--prompt and --voice exclude each other.";
        return null;
    }

    public async Task RunAsync(TtsPipeline pipeline, CancellationToken cancellation)
    {
        var request = Request;
        string? origin = null;
        if (Prompt is not null)
        {
            var reference = await AudioClip.FromWavFileAsync(Prompt.FullName, cancellationToken: cancellation);
            var found = await pipeline.Timbres.AddAsync(reference, PromptText, null, cancellation);
            (request, origin) = (request with { Timbre = found }, found.Source.ToString().ToLowerInvariant());
        }
        else if (request.Voice is { } name && await pipeline.Timbres.GetAsync(name, cancellation) is { } stored)
            (request, origin) = (request with { Timbre = stored }, stored.Source.ToString().ToLowerInvariant());

        using var sink = ToStandardOutput ? AudioSink.Raw(Console.OpenStandardOutput()) : AudioSink.Wav(Output, pipeline.Model.SampleRate);
        var watch = Stopwatch.StartNew();
        TimeSpan? first = null;
        using var progress = new SpeakProgress(Quiet || !Loading.IsWatched);
        foreach (var part in TextInput.Read(Text, File))
        {
            progress.Add(part.Length);
            await foreach (var chunk in pipeline.SynthesizeAsync(request with { Text = part }, cancellation))
            {
                first ??= watch.Elapsed;
                await sink.WriteAsync(chunk.Samples, cancellation);
                progress.Report(chunk, sink.Samples / (double)pipeline.Model.SampleRate);
            }
        }
        sink.Complete();
        progress.Dispose();
        if (sink.Samples == 0)
            throw new TtsRequestException("The text has nothing to speak. Hand in at least one word or number.");
        if (!Quiet)
            Report(pipeline, sink.Samples, watch.Elapsed, first ?? watch.Elapsed, origin);
    }

    private void Report(TtsPipeline pipeline, long samples, TimeSpan elapsed, TimeSpan first, string? origin)
    {
        var audio = samples / (double)pipeline.Model.SampleRate;
        var line = string.Create(CultureInfo.InvariantCulture,
            $"{(ToStandardOutput ? "stdout" : Output)}: {audio:0.00} s of audio in {elapsed.TotalSeconds:0.00} s, real-time factor {elapsed.TotalSeconds / audio:0.000}, first audio after {first.TotalMilliseconds:0} ms");
        Console.Error.WriteLine(line);
        if (origin is not null)
            Console.Error.WriteLine($"timbre: {origin}");
    }
}
