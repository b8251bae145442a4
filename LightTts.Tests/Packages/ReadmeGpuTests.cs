using System.Text.RegularExpressions;
using LightTts.Tests.Speak;
using LightTts.Tests.Support;

namespace LightTts.Tests.Packages;

/// <summary>The README's lines for a machine with a GPU, rehearsed on one without: as they are written, but for the device.</summary>
[Trait("Category", "Package")]
public sealed partial class ReadmeGpuTests : IDisposable
{
    private static readonly string Script = Path.Combine(Repo.Root, "LightTts.Benchmarks", "gpu", "run.sh");

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>python3 stands for one that has PyTorch, dotnet for a build with the backend that a line asks for, which it notes.</summary>
    [Fact]
    public async Task Its_lines_speak()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "libtorch for Linux");
        // A process can hold one libtorch only, and this one brings its own.
        _folder.Write("bin/python3", "#!/bin/sh\necho \"$(dirname \"$(readlink -f \"$speak\")\")/runtimes/linux-x64/native\"\n");
        _folder.Write("bin/dotnet", """
            #!/bin/bash
            [ "$1" = run ] || exit 9
            while [ $# -gt 0 ] && [ "$1" != -- ]; do echo "$1" >> words; shift; done
            shift
            exec "$speak" "${@/#cuda/cpu}"
            """);
        var targets = await File.ReadAllTextAsync(Path.Combine(Repo.Root, "Directory.Build.targets"), TestContext.Current.CancellationToken);
        var blocks = ReadmeBlock.All(ReadmeCheck.Gpu);
        Assert.True(blocks.Count >= 2);
        foreach (var block in blocks)
        {
            File.Delete(_folder["words"]);
            File.Delete(_folder["hello.wav"]);
            var lines = block.Lines.Where(line => !line.StartsWith("LightTts.Benchmarks/", StringComparison.Ordinal));
            var result = await SpeakProcess.ShellAsync(_folder.Path, $"set -eu; chmod +x bin/*; PATH=$PWD/bin:$PATH; {string.Join('\n', lines)}");
            Assert.True(result.ExitCode == 0, $"{block.Text}\nended with {result.ExitCode}:\n{result.Output}{result.Error}");
            Assert.InRange(AudioClip.FromWavFile(_folder["hello.wav"]).Duration.TotalSeconds, 0.2, 5);
            var words = await File.ReadAllLinesAsync(_folder["words"], TestContext.Current.CancellationToken);
            var backend = Assert.Single(words, word => word.StartsWith("-p:", StringComparison.Ordinal)).Split('=');
            Assert.Equal("-p:LightTtsBackend", backend[0]);
            Assert.Contains($"'$(LightTtsBackend)' == '{backend[1]}'", targets);
            Assert.Contains("--device cuda", block.Text);
        }
    }

    /// <summary>The script is one for the shell, says what is missing, and asks for nothing that the benchmarks do not know.</summary>
    [Fact]
    public async Task Its_script_is_understood()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "a POSIX shell");
        Assert.Contains(ReadmeBlock.All(ReadmeCheck.Gpu), block => block.Lines.Contains("LightTts.Benchmarks/gpu/run.sh"));
        var missing = await SpeakProcess.ShellAsync(_folder.Path, $"bash -n '{Script}' && '{Script}' --natives . --out out --results out/gpu.json");
        Assert.Equal((2, "gpu/run.sh: '.' holds no libtorch_cpu.so\n"), (missing.ExitCode, missing.Error));
        var script = (await File.ReadAllTextAsync(Script, TestContext.Current.CancellationToken)).Replace("\\\n", " ", StringComparison.Ordinal);
        var program = await BenchmarksProgram.BuildAsync();
        var asked = 0;
        foreach (Match match in Benchmark().Matches(script))
        {
            var help = await ConsoleProcess.RunAsync(_folder.Path, null, "dotnet", program, match.Groups[1].Value, "--help");
            var common = match.Value.Contains("\"$@\"", StringComparison.Ordinal) ? "--speech-tokens" : "";
            foreach (var option in Option().Matches($"{match.Value} --device --natives --model {common}").Select(option => option.Value))
                Assert.Matches($@"(?<![\w-]){Regex.Escape(option)}(?![\w-])", help);
            asked++;
        }
        Assert.True(asked >= 5);
    }

    [GeneratedRegex(@"^.*benchmark ""[^""]+"" ""\$model"" (\w+).*$", RegexOptions.Multiline)]
    private static partial Regex Benchmark();

    [GeneratedRegex(@"(?<=\s)--[a-z][\w-]*")]
    private static partial Regex Option();
}
