using System.CommandLine;
using LightTts.Samples.Speak.Output;
using LightTts.Samples.Speak.Reading;

namespace LightTts.Samples.Speak;

/// <summary>The main command: text in, WAV file or raw PCM out.</summary>
internal static class SpeakCommand
{
    public static RootCommand Create()
    {
        var model = new ModelOptions();
        var text = new Argument<string[]>("text") { Description = "What to say. Without it, --file or standard input is read.",
            Arity = ArgumentArity.ZeroOrMore };
        var file = new Option<string?>("--file", "-f") { Description = "Text file to read, of any length; - for standard input." };
        var format = new Option<string?>("--format") { Description = "text, markdown, html, srt or vtt. Default: by the file's name." };
        format.AcceptOnlyFromAmong(TextFormats.Names);
        var play = new Option<bool>("--play") { Description = "Play through the speakers." };
        var show = new Option<bool>("--show-text") { Description = "Print the text as it would be spoken, and speak nothing." };
        var reading = new Option<string>("--reading") { Description = "us or uk: how English numbers and dates are read.", DefaultValueFactory = _ =>
            "us" };
        reading.AcceptOnlyFromAmong("us", "uk");
        var emoji = new Option<string>("--emoji") { Description = "drop or name.", DefaultValueFactory = _ => "drop" };
        emoji.AcceptOnlyFromAmong("drop", "name");
        var dictionary = new Option<string?>("--dictionary") { Description = "File of pronunciations: word = spelling, one a line." };
        var json = new Option<bool>("--json") { Description = "Print --list-voices and --inspect as JSON." };
        var output = new Option<string?>("--output",
            "-o") { Description =
            "WAV file to write; - for raw PCM (16-bit little-endian, mono) on standard output. Default: the speakers on a terminal, else "
            + "speech.wav." };
        var style = new Option<string?>("--style") { Description = "Language model to speak with, where the model has several; see --inspect." };
        var voice = new Option<string?>("--voice", "-v") { Description = "Voice to speak in; see --list-voices." };
        var listVoices = new Option<bool>("--list-voices") { Description = "List the voices and end." };
        var inspect = new Option<bool>("--inspect") { Description = "Print the model's facts and end." };
        var prompt = new Option<FileInfo?>("--prompt", "-p") { Description = "WAV file with 3 to 10 s of a voice to speak in." };
        var convert = new Option<FileInfo?>("--convert") { Description = "WAV file with speech to speak in the voice, instead of text." };
        var promptText = new Option<string?>("--prompt-text", "-t") { Description = "What the WAV file of --prompt says; makes the voice closer." };
        var instruct = new Option<string?>("--instruct") { Description = "How to speak, in words, for models that follow instructions." };
        var mode = new Option<AudioDelivery?>("--mode") { Description =
            "streaming or whole. Default: whole for a file, streaming for the speakers and for standard output." };
        var speed = new Option<double>("--speed") { Description = "Speaking rate, 0.25 to 4; whole mode only.", DefaultValueFactory = _ => 1 };
        var seed = new Option<long?>("--seed", "-s") { Description = "Seed of the draws: the same seed gives the same speech." };
        var temperature = new Option<double?>("--temperature") { Description = "0 to 2: how freely the model speaks; 0 takes what is likeliest." };
        var topP = new Option<double?>("--top-p") { Description = "Above 0, at most 1: the chance that the tokens to draw from reach together." };
        var topK = new Option<int?>("--top-k") { Description = "1 to 1000: the most tokens to draw from." };
        var steps = new Option<int?>("--steps") { Description = "Solver steps of the flow, 1 to 100. Default: what the model recommends." };
        var firstSteps = new Option<int?>("--first-steps") { Description = "Solver steps of a stream's first chunk, 1 to 100: it is heard sooner." };
        var plain = new Option<bool>("--no-normalize") { Description = "Speak the text as it is, without writing out numbers and abbreviations." };
        var quiet = new Option<bool>("--quiet", "-q") { Description = "Print nothing but errors." };

        var root = new RootCommand("Speaks text with LightTts.") { text };
        model.AddTo(root);
        foreach (var option in (Option[])[file, format, output, play, json, show, reading, emoji, dictionary, voice, style, listVoices, inspect,
            prompt,
            promptText, convert, instruct, mode, speed, seed, temperature, topP, topK, steps, firstSteps, plain, quiet])
            root.Options.Add(option);
        root.SetAction((parsed, cancellation) => ExitCodes.GuardAsync(async () =>
        {
            // A dash alone is standard input, as elsewhere: there is nothing in it to speak.
            var said = parsed.GetValue(text) is { Length: > 0 } spoken ? string.Join(' ', spoken) : null;
            var job = new SpeakJob
            {
                Text = said == "-" ? null : said,
                File = parsed.GetValue(file) ?? (said == "-" ? "-" : null),
                Format = TextFormats.Of(parsed.GetValue(format), parsed.GetValue(file)),
                Output = parsed.GetValue(output),
                Play = parsed.GetValue(play),
                Prompt = parsed.GetValue(prompt),
                PromptText = parsed.GetValue(promptText),
                Convert = parsed.GetValue(convert),
                Shows = parsed.GetValue(show),
                Quiet = parsed.GetValue(quiet),
                Request = new SynthesisRequest
                {
                    Voice = parsed.GetValue(voice),
                    Style = parsed.GetValue(style),
                    Instruction = parsed.GetValue(instruct),
                    Speed = parsed.GetValue(speed),
                    Seed = parsed.GetValue(seed),
                    Sampling = new SamplingOptions { Temperature = parsed.GetValue(temperature), TopP = parsed.GetValue(topP),
                        TopK = parsed.GetValue(topK) },
                    FlowSteps = parsed.GetValue(steps),
                    FirstFlowSteps = parsed.GetValue(firstSteps),
                    NormalizeText = !parsed.GetValue(plain),
                },
            };
            job = job with { Request = job.Request with { Delivery = parsed.GetValue(mode)
                ?? (job.Streams ? AudioDelivery.Streaming : AudioDelivery.Whole) } };
            var only = parsed.GetValue(listVoices) || parsed.GetValue(inspect);
            if (!only && job.Problem() is { } problem)
            {
                Console.Error.WriteLine($"speak: {problem}");
                return ExitCodes.Usage;
            }
            // Before the model is loaded, and before anything else could be opened in its place.
            if (only || parsed.GetValue(show))
                StandardOutput.Need("Leave it open: what was asked for is printed there.");
            var options = model.Read(parsed);
            options.MaxFlowSteps = 100; // whoever sits at the command line pays for them alone
            options.English = parsed.GetValue(reading) == "uk" ? EnglishReading.British : EnglishReading.American;
            options.Emoji = parsed.GetValue(emoji) == "name" ? EmojiReading.Named : EmojiReading.Dropped;
            options.Pronunciations = parsed.GetValue(dictionary) is { } words ? PronunciationDictionary.Load(words) : null;
            await using var pipeline = await Loading.LoadAsync(options, job.Quiet || only || parsed.GetValue(show), cancellation);
            if (parsed.GetValue(inspect))
                ModelReport.Write(pipeline, Console.Out, parsed.GetValue(json));
            else if (parsed.GetValue(listVoices))
                await ModelReport.WriteVoicesAsync(pipeline, Console.Out, parsed.GetValue(json), cancellation);
            else if (parsed.GetValue(show))
                await job.ShowAsync(pipeline, Console.Out, cancellation);
            else
                await job.RunAsync(pipeline, cancellation);
            return ExitCodes.Success;
        }));
        return root;
    }
}
