using System.Diagnostics;
using System.Globalization;
using LightTts.Samples.Speak.Output;
using LightTts.Samples.Speak.Reading;

namespace LightTts.Samples.Speak;

/// <summary>One run of the main command.</summary>
internal sealed record SpeakJob
{
    public required string? Text { get; init; }

    public required string? File { get; init; }

    public required TextFormat Format { get; init; }

    /// <summary>A WAV file's path, "-" for raw audio on standard output, or null where none was named.</summary>
    public required string? Output { get; init; }

    /// <summary>Through the speakers, whether or not somebody watches.</summary>
    public required bool Play { get; init; }

    public required FileInfo? Prompt { get; init; }

    public required string? PromptText { get; init; }

    /// <summary>Speech to speak in the voice, instead of text.</summary>
    public FileInfo? Convert { get; init; }

    /// <summary>Whether the text is printed, not spoken.</summary>
    public bool Shows { get; init; }

    public required bool Quiet { get; init; }

    public required SynthesisRequest Request { get; init; }

    /// <summary>Whether somebody listens while the text is being spoken.</summary>
    public bool Streams => Output == "-" || Plays;

    private bool Plays => Play || Output is null && !Console.IsOutputRedirected && !Console.IsErrorRedirected;

    /// <summary>What is wrong with the options, or null.</summary>
    public string? Problem()
    {
        if (Text is not null && File is not null)
            return "there is a text and a --file; use one of them.";
        if (Convert is not null && (Text is not null || File is not null))
            return "--convert speaks the WAV file's words; leave out the text and --file.";
        if (Convert is not null && (Request.Instruction is not null || Request.Style is not null))
            return "--convert takes no --instruct and no --style: no language model speaks.";
        if (Convert is not null && Request.FirstFlowSteps is not null)
            return "--convert takes no --first-steps.";
        if (Convert is not null && Shows)
            return "--convert has no text to show; leave out --show-text.";
        if (Convert is { Exists: false })
            return $"there is no file '{Convert.FullName}'.";
        if (Convert is null && Text is null && File is null && !Console.IsInputRedirected)
            return "there is nothing to say. Try: speak \"Hello from LightTts.\" -o hello.wav (or --help)";
        if (Text is not null && string.IsNullOrWhiteSpace(Text))
            return "the text is empty. Try: speak \"Hello from LightTts.\"";
        if (Output is not null && string.IsNullOrWhiteSpace(Output))
            return "-o needs a file's name, for example -o speech.wav, or - for standard output.";
        if (Output is not null && Play)
            return "--play and -o exclude each other.";
        if (Output is not null && Directory.Exists(Output))
            return $"-o '{Output}' is a folder. Name a file in it: -o {Path.Combine(Output, "speech.wav")}";
        if (Output is not (null or "-") && Path.GetDirectoryName(Path.GetFullPath(Output)) is { } folder && !Directory.Exists(folder))
            return $"there is no folder '{folder}' to write '{Path.GetFileName(Output)}' to.";
        if (File is not null && Directory.Exists(File))
            return $"-f '{File}' is a folder. Name a text file in it.";
        if (File is not (null or "-") && !System.IO.File.Exists(File))
            return $"there is no file '{File}'.";
        if (Request.Speed is not (>= 0.25 and <= 4))
            return "--speed takes 0.25 to 4.";
        if (Request.FlowSteps is < 1 or > 100)
            return "--steps takes 1 to 100.";
        if (Request.FirstFlowSteps is < 1 or > 100)
            return "--first-steps takes 1 to 100.";
        if (Request.Sampling is { Temperature: < 0 or > 2 })
            return "--temperature takes 0 to 2.";
        if (Request.Sampling is { TopP: <= 0 or > 1 })
            return "--top-p takes a number above 0, at most 1.";
        if (Request.Sampling is { TopK: < 1 or > 1000 })
            return "--top-k takes 1 to 1000.";
        if (PromptText is not null && Prompt is null)
            return "--prompt-text belongs to a --prompt.";
        if (Prompt is not null && Request.Voice is not null)
            return "--prompt and --voice exclude each other.";
        return null;
    }

    /// <summary>Prints the text as it would be spoken, one utterance a line.</summary>
    public async Task ShowAsync(TtsPipeline pipeline, TextWriter output, CancellationToken cancellation)
    {
        foreach (var part in TextInput.Read(Text, File, Format))
            foreach (var spoken in await pipeline.NormalizeAsync(Request with { Text = part }, cancellation))
                output.WriteLine(spoken.Text);
    }

    public async Task RunAsync(TtsPipeline pipeline, CancellationToken cancellation)
    {
        var request = Request with { Voice = await ModelReport.FindVoiceAsync(pipeline, Request.Voice, cancellation) };
        string? origin = null;
        if (Prompt is not null)
        {
            var reference = await AudioClip.FromWavFileAsync(Prompt.FullName, cancellationToken: cancellation);
            var found = await pipeline.Timbres.AddAsync(reference, PromptText, null, cancellation);
            (request, origin) = (request with { Timbre = found }, found.Source.ToString().ToLowerInvariant());
        }
        else if (request.Voice is { } name && await pipeline.Timbres.GetAsync(name, cancellation) is { } stored)
            (request, origin) = (request with { Timbre = stored }, stored.Source.ToString().ToLowerInvariant());

        using var player = Plays ? Player.Start() : null;
        if (Plays && player is null)
            Console.Error.WriteLine($"speak: none of the players {Player.Names} is installed; writing speech.wav");
        else if (player is not null && !Quiet)
            Console.Error.WriteLine($"speak: playing with {player.Name}");
        var target = player?.Name ?? Output ?? "speech.wav";
        using var sink = player is not null ? player.Open(pipeline.Model.SampleRate)
            : target == "-" ? AudioSink.Raw(StandardOutput.Open())
            : AudioSink.Wav(target, pipeline.Model.SampleRate);
        var watch = Stopwatch.StartNew();
        TimeSpan? first = null;
        using var progress = new SpeakProgress(Quiet || Convert is not null || !Loading.IsWatched);
        try
        {
            foreach (var audio in Audio(pipeline, request, progress, cancellation))
            {
                await foreach (var chunk in audio)
                {
                    first ??= watch.Elapsed;
                    await sink.WriteAsync(chunk.Samples, cancellation);
                    progress.Report(chunk, sink.Samples / (double)pipeline.Model.SampleRate);
                }
            }
            sink.Complete();
        }
        catch (IOException e) when (player is not null && StandardOutput.IsBrokenPipe(e))
        {
            // The player went before the end; it says why by its exit code. No reader of ours has gone.
            await player.EndAsync(cancellation);
            throw new IOException($"{player.Name} ended before the audio did. Write a file instead: -o speech.wav", e);
        }
        progress.Dispose();
        if (sink.Samples == 0)
            throw new TtsRequestException("The text has nothing to speak. Hand in at least one word or number.");
        if (player is not null)
            await player.EndAsync(cancellation);
        if (!Quiet)
            Report(pipeline, target == "-" ? "stdout" : target, sink.Samples, watch.Elapsed, first ?? watch.Elapsed, origin);
    }

    /// <summary>The text's parts one after the other, or the speech that is to be converted.</summary>
    private IEnumerable<IAsyncEnumerable<AudioChunk>> Audio(TtsPipeline pipeline, SynthesisRequest request, SpeakProgress progress,
        CancellationToken cancellation)
    {
        if (Convert is not null)
        {
            var source = AudioClip.FromWavFile(Convert.FullName, TimeSpan.FromHours(1));
            yield return pipeline.ConvertAsync(source, new ConversionRequest { Voice = request.Voice, Timbre = request.Timbre,
                Delivery = request.Delivery, Speed = request.Speed, FlowSteps = request.FlowSteps }, cancellation);
            yield break;
        }
        foreach (var part in TextInput.Read(Text, File, Format))
        {
            progress.Add(part.Length);
            yield return pipeline.SynthesizeAsync(request with { Text = part }, cancellation);
        }
    }

    private static void Report(TtsPipeline pipeline, string target, long samples, TimeSpan elapsed, TimeSpan first, string? origin)
    {
        var audio = samples / (double)pipeline.Model.SampleRate;
        var line = string.Create(CultureInfo.InvariantCulture,
            $"{target}: {audio:0.00} s of audio in {elapsed.TotalSeconds:0.00} s, real-time factor {elapsed.TotalSeconds / audio:0.000}, first audio "
            + $"after {first.TotalMilliseconds:0} ms");
        Console.Error.WriteLine(line);
        if (origin is not null)
            Console.Error.WriteLine($"timbre: {origin}");
    }
}
