using System.Text.RegularExpressions;
using LightTts.Tests.Server;
using LightTts.Tests.Speak;
using LightTts.Tests.Support;

namespace LightTts.Tests.Packages;

/// <summary>The README's commands, run as they are written, in an empty folder.</summary>
[Trait("Category", "Package")]
public sealed partial class ReadmeRunTests : IDisposable
{
    // Stands in for aplay: says how much it was handed.
    private const string Player = "#!/bin/sh\\nexec wc -c\\n";

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task The_speak_command_s_lines_do_what_they_say()
    {
        var prepared = await SpeakProcess.ShellAsync(_folder.Path, "set -e; mkdir bin home; ln -s $speak bin/speak; "
            + $"printf '{Player}' > bin/aplay; chmod +x bin/aplay; printf '# A book\\n\\nIt is *short*.\\n' > book.md; "
            + "$speak What I say in me.wav. -q -o me.wav");
        Assert.Equal((0, ""), (prepared.ExitCode, prepared.Error));
        var lines = ReadmeBlock.All(ReadmeCheck.SpeakOptions).SelectMany(block => block.Lines).ToList();
        Assert.True(lines.Count >= 8);
        foreach (var line in lines)
        {
            // There is no network: a model that is not here cannot be fetched, which is what it has to say.
            var fetches = line.Contains("models pull", StringComparison.Ordinal);
            // Links lead to the executable; natives and models lie beside what they lead to.
            var result = await SpeakProcess.ShellAsync(_folder.Path, "set -o pipefail; speak() { command $speak \"$@\"; }; "
                + $"export HOME=$PWD/home XDG_DATA_HOME= HF_HOME=$PWD/home HF_HUB_OFFLINE=1 PATH=$PWD/bin:$PATH; {line}");
            Assert.True(result.ExitCode == (fetches ? 1 : 0), $"{line}\nended with {result.ExitCode}:\n{result.Output}{result.Error}");
            Assert.DoesNotContain("   at ", result.Error);
            if (fetches)
                Assert.Contains("HF_HUB_OFFLINE", result.Error);
            else if (Output().Match(line) is { Success: true } named)
                Assert.InRange(AudioClip.FromWavFile(_folder[named.Groups[1].Value]).Duration.TotalSeconds, 0.2, 20);
            else if (line.Contains("| aplay", StringComparison.Ordinal))
                Assert.InRange(int.Parse(result.Output, System.Globalization.CultureInfo.InvariantCulture), 10_000, 1_000_000);
            else if (line.Contains("--show-text", StringComparison.Ordinal))
                Assert.Equal("Doctor Lee paid five dollars on the third of April.", result.Output.Trim());
            else if (result.Output.Length == 0)
                Assert.InRange(AudioClip.FromWavFile(_folder["speech.wav"]).Duration.TotalSeconds, 0.2, 20);
        }
    }

    [Fact]
    public async Task The_server_s_lines_are_answered()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "a POSIX shell");
        Assert.SkipUnless((Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(folder =>
            File.Exists(Path.Combine(folder, "curl"))), "curl is not installed");
        var lines = ReadmeBlock.All(ReadmeCheck.Server).SelectMany(block => block.Lines).ToList();
        Assert.Equal("dotnet run --project LightTts.Samples/Server", lines[0]);
        using var server = await ServerProcess.StartAsync(_folder.Path);
        await SpeakProcess.ShellAsync(_folder.Path, "$speak What I say in me.wav. -q -o me.wav");
        foreach (var line in lines.Skip(1))
        {
            Assert.Contains("localhost:8080", line);
            await ConsoleProcess.RunAsync(_folder.Path, null, "bash", "-euc",
                line.Replace("localhost:8080", server.Client.BaseAddress!.Authority, StringComparison.Ordinal)
                .Replace("curl ", "curl -sS --fail ", StringComparison.Ordinal));
        }
        Assert.InRange(new FileInfo(_folder["hello.pcm"]).Length, 10_000, 1_000_000);
        Assert.Equal("OggS"u8.ToArray(), (await File.ReadAllBytesAsync(_folder["hello.opus"]))[..4]);
    }

    /// <summary>Measuring takes minutes; that each line is understood does not.</summary>
    [Fact]
    public async Task The_benchmarks_know_what_their_lines_ask_for()
    {
        var program = await BenchmarksProgram.BuildAsync();
        var lines = ReadmeBlock.All(ReadmeCheck.Benchmarks).SelectMany(block => block.Lines).ToList();
        Assert.True(lines.Count >= 6);
        foreach (var line in lines)
        {
            Assert.StartsWith("dotnet run -c Release --project LightTts.Benchmarks -- ", line);
            var words = line[(line.IndexOf(" -- ", StringComparison.Ordinal) + 4)..].Split(' ');
            if (words[0] == "--filter")
            {
                var listed = await ConsoleProcess.RunAsync(_folder.Path, null, "dotnet", program, "--list", "flat", "--filter", words[1].Trim('\''));
                Assert.Contains("LightTts.Benchmarks.SynthesisBenchmarks.", listed);
                continue;
            }
            var help = await ConsoleProcess.RunAsync(_folder.Path, null, "dotnet", program, words[0], "--help");
            Assert.All(words.Where(word => word.StartsWith("--", StringComparison.Ordinal)), option =>
                Assert.Matches($@"(?<![\w-]){Regex.Escape(option)}(?![\w-])", help));
        }
    }

    [GeneratedRegex(@" -o ([\w.]+)")]
    private static partial Regex Output();
}
