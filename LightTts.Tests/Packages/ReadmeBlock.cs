using System.Text.RegularExpressions;
using LightTts.Tests.Support;

namespace LightTts.Tests.Packages;

/// <summary>How a block of the README is held to what it says.</summary>
internal enum ReadmeCheck
{
    /// <summary>.ci/run runs each of its lines.</summary>
    RunByCi,

    /// <summary>Run as it is, in an empty folder.</summary>
    Shell,

    /// <summary>A whole program: run after the shell block before it, and its output checked.</summary>
    Program,

    /// <summary>Part of a program: compiled with the packages that the README adds.</summary>
    Compiled,

    /// <summary>Packages that compiled blocks need: added before they are compiled.</summary>
    Packages,

    /// <summary>Configuration: bound to the options.</summary>
    Bound,

    /// <summary>Lines of the speak command: run, and their options looked up in its help.</summary>
    SpeakOptions,

    /// <summary>The server and its clients: run, on another port.</summary>
    Server,

    /// <summary>Lines of the benchmarks: their options are looked up in the commands' help.</summary>
    Benchmarks,

    /// <summary>Lines for a machine with a GPU: rehearsed without one.</summary>
    Gpu,

    /// <summary>Needs what a test machine lacks, or takes long: the projects and scripts that it names exist.</summary>
    NamesOnly,
}

/// <summary>A fenced block of the README.</summary>
internal sealed partial record ReadmeBlock(string Language, string Text, ReadmeCheck? Check)
{
    // What a block of a kind contains, and how it is checked. A block that fits none, or two, is a mistake.
    private static readonly (string Language, string Contains, ReadmeCheck Check)[] Known =
    [
        ("sh", "dotnet run --project LightTts.Samples/Speak -- \"Hello from LightTts.\"", ReadmeCheck.RunByCi),
        ("sh", "dotnet test ", ReadmeCheck.RunByCi),
        ("sh", "./pack.sh ", ReadmeCheck.Shell),
        ("csharp", "new WavWriter(", ReadmeCheck.Program),
        ("csharp", "tts.Timbres.", ReadmeCheck.Compiled),
        ("csharp", "AddLightTts(", ReadmeCheck.Compiled),
        ("csharp", "TtsModels.PullAsync(", ReadmeCheck.Compiled),
        ("csharp", "MapHealthChecks(", ReadmeCheck.Compiled),
        ("csharp", "AddTextToSpeechClient(", ReadmeCheck.Compiled),
        ("csharp", "AddOpenTelemetry()", ReadmeCheck.Compiled),
        ("sh", "dotnet add package LightTts.Extensions", ReadmeCheck.Packages),
        ("sh", "dotnet add package Microsoft.Extensions.AI", ReadmeCheck.Packages),
        ("sh", "dotnet add package OpenTelemetry", ReadmeCheck.Packages),
        ("json", "\"LightTts\"", ReadmeCheck.Bound),
        ("sh", "\nspeak ", ReadmeCheck.SpeakOptions),
        ("sh", "--project LightTts.Samples/Server", ReadmeCheck.Server),
        ("sh", "-p:LightTtsBackend=", ReadmeCheck.Gpu),
        ("sh", "-- models export-onnx", ReadmeCheck.NamesOnly), // LightTts.Tests/Speak/ExportOnnxTests
        ("sh", "--project LightTts.Benchmarks", ReadmeCheck.Benchmarks),
    ];

    public static List<ReadmeBlock> All()
    {
        List<ReadmeBlock> blocks = [];
        foreach (Match match in Fence().Matches(File.ReadAllText(Path.Combine(Repo.Root, "README.md"))))
        {
            var (language, text) = (match.Groups[1].Value, match.Groups[2].Value);
            var fitting = Known.Where(known => known.Language == language
                && ("\n" + text).Contains(known.Contains, StringComparison.Ordinal)).Select(known => known.Check).Distinct().ToList();
            blocks.Add(new ReadmeBlock(language, text, fitting is [var only] ? only : null));
        }
        return blocks;
    }

    public static List<ReadmeBlock> All(ReadmeCheck check) => [.. All().Where(block => block.Check == check)];

    /// <summary>The block's commands without the comments behind them.</summary>
    public IEnumerable<string> Lines => Text.Split('\n').Select(line => Comment().Replace(line, "").Trim()).Where(line => line.Length > 0);

    [GeneratedRegex(@"^```(\w*)[^\n]*\n(.*?)^```\s*$", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex Fence();

    [GeneratedRegex(@"(^|\s)#.*$")]
    private static partial Regex Comment();
}
