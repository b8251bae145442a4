using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace LightTts.Samples.Speak.Terminal;

/// <summary>The main command's help: one screen of 80 columns and 24 lines.</summary>
internal sealed class Help : SynchronousCommandLineAction
{
    public const string Text = """
        Usage: speak [options] TEXT...      speak [options] -f FILE      ... | speak
        Without -o: plays on a terminal, else writes speech.wav. Commands: models,
        timbres, completions (each has --help).
        Say     -f, --file FILE      text, Markdown, HTML, SRT or VTT; - is stdin
                --format FORMAT      text, markdown, html, srt, vtt (by the name)
                --no-normalize       leave numbers and abbreviations as they are
                --show-text          print how it is read;  --dictionary FILE
                --reading us|uk      --emoji drop|name
        Output  -o, --output FILE    WAV file; - is raw 16-bit mono PCM on stdout
                --play               through the speakers;  -q, --quiet  errors only
        Voice   -v, --voice VOICE    name or number, see --list-voices
                -p, --prompt WAV     3 to 10 s of a voice;  -t, --prompt-text  its words
                --convert WAV        speaks its words instead of a text
                --instruct TEXT      how to speak, where the model follows that
                --speed 0.25..4      -s, --seed N      --steps 1..100
                --temperature 0..2   --top-p 0..1      --top-k 1..1000
                --mode MODE          whole or streaming;  --first-steps N;  --style NAME
        Model   -m, --model MODEL    --inspect  what it is    --list-voices [--json]
                -d, --device DEVICE  auto, cpu, cuda;  --precision, --decoder: README
                --threads 1..1024    --natives FOLDER (libtorch)  --timbres FILE (store)
        Exit    0 done, 1 failure, 2 wrong usage, 130 Ctrl-C, 141 the reader has gone.
                An ordinary output file appears only when it is complete.
        Try     speak hello world              speak -f book.md -o book.wav
                echo hello | speak -v slt      speak hi -o - | aplay -r24000 -fS16_LE
        """;

    public static void Install(RootCommand root) =>
        root.Options.OfType<HelpOption>().Single().Action = new Help((HelpAction)root.Options.OfType<HelpOption>().Single().Action!);

    private readonly HelpAction _others;

    private Help(HelpAction others) => _others = others;

    public override int Invoke(ParseResult parseResult)
    {
        if (parseResult.CommandResult.Command is not RootCommand)
        {
            // The main command's text is none of a subcommand's arguments.
            var output = parseResult.InvocationConfiguration.Output;
            using var text = new StringWriter();
            parseResult.InvocationConfiguration.Output = text;
            var code = _others.Invoke(parseResult);
            parseResult.InvocationConfiguration.Output = output;
            var lines = text.ToString().Split('\n').Select(line => line.TrimEnd('\r').Replace("[<text>...] ", "", StringComparison.Ordinal))
                .Where(line => !line.StartsWith("  <text> ", StringComparison.Ordinal));
            output.Write(string.Join(Environment.NewLine, lines).Replace($"Arguments:{Environment.NewLine}{Environment.NewLine}", "",
                StringComparison.Ordinal));
            return code;
        }
        parseResult.InvocationConfiguration.Output.WriteLine(Text);
        return ExitCodes.Success;
    }
}
