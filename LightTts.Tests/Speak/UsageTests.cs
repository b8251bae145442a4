namespace LightTts.Tests.Speak;

/// <summary>What people type first, and what they mistype. None of these loads the model.</summary>
public sealed class UsageTests
{
    [Theory]
    [InlineData("there is no option '--bogus'. Text that starts with a dash goes after --", "--bogus")]
    [InlineData("there is no option '--voise'. Did you mean --voice?", "--voise", "slt", "hi")]
    [InlineData("there is no option '--theads=2'. Did you mean --threads?", "hi", "--theads=2")]
    [InlineData("--steps takes a whole number, not 'abc'.", "--steps", "abc", "hi")]
    [InlineData("--steps takes 1 to 100.", "--steps", "0", "hi")]
    [InlineData("--first-steps takes 1 to 100.", "--first-steps", "0", "hi")]
    [InlineData("--speed takes 0.25 to 4.", "--speed", "9", "hi")]
    [InlineData("--device takes auto, cpu or cuda, not 'gpu'.", "--device", "gpu", "hi")]
    [InlineData("--threads takes 1 to 1024.", "--threads", "100000", "hi")]
    [InlineData("-f '.' is a folder.", "-f", ".")]
    [InlineData("there is no file 'missing.txt'.", "-f", "missing.txt")]
    [InlineData("-o needs a file's name", "-o", "", "hi")]
    [InlineData("-o '.' is a folder.", "-o", ".", "hi")]
    [InlineData("there is no folder", "-o", "missing/x.wav", "hi")]
    [InlineData("the text is empty.", "")]
    [InlineData("--convert speaks the WAV file's words", "--convert", "x.wav", "hi")]
    [InlineData("--convert takes no --instruct and no --style", "--convert", "x.wav", "--style", "calm")]
    [InlineData("--convert takes no --first-steps", "--convert", "x.wav", "--first-steps", "2")]
    [InlineData("there is no file", "--convert", "missing.wav")]
    [InlineData("there is a text and a --file", "hi", "-f", "x.txt")]
    public async Task Wrong_usage_is_one_line_and_a_hint(string expected, params string[] arguments)
    {
        var result = await SpeakProcess.RunAsync(AppContext.BaseDirectory, arguments);
        Assert.Equal((2, ""), (result.ExitCode, result.Output));
        Assert.StartsWith("speak: " + expected, result.Error);
        Assert.InRange(result.Error.Split('\n').Length, 1, 3);
        Assert.DoesNotContain("System.", result.Error);
    }

    [Fact]
    public async Task Help_fits_a_screen()
    {
        var result = await SpeakProcess.RunAsync(AppContext.BaseDirectory, ["--help"]);
        var lines = result.Output.TrimEnd().Split('\n');
        Assert.Equal(0, result.ExitCode);
        Assert.InRange(lines.Length, 10, 24);
        Assert.All(lines, line => Assert.InRange(line.Length, 0, 80));
        result = await SpeakProcess.RunAsync(AppContext.BaseDirectory, ["timbres", "add", "--help"]);
        Assert.DoesNotContain("<text>", result.Output);
        Assert.Contains("--pin", result.Output);
    }

    [Theory]
    [InlineData("bash", "complete -o filenames -F _speak speak")]
    [InlineData("zsh", "#compdef speak")]
    [InlineData("fish", "complete -c speak -l voice")]
    [InlineData("powershell", "Register-ArgumentCompleter")]
    public async Task Completions_name_the_options(string shell, string line)
    {
        var result = await SpeakProcess.RunAsync(AppContext.BaseDirectory, ["completions", shell]);
        Assert.Equal(0, result.ExitCode);
        Assert.Contains(line, result.Output);
        Assert.Contains("voice", result.Output);
    }

    [Fact]
    public async Task A_dash_alone_is_standard_input()
    {
        var result = await SpeakProcess.ShellAsync(AppContext.BaseDirectory, "echo twenty two | $speak - --show-text");
        Assert.Equal((0, "twenty two"), (result.ExitCode, result.Output.Trim().TrimEnd('.').ToLowerInvariant()));
    }

    [Fact]
    public async Task Bash_completes_an_option()
    {
        var result = await SpeakProcess.ShellAsync(AppContext.BaseDirectory,
            "source <($speak completions bash); COMP_WORDS=(speak --voi); COMP_CWORD=1; _speak; echo ${COMPREPLY[@]}");
        Assert.Equal("--voice\n", result.Output);
    }

    [Theory]
    [InlineData(2_500_000)] // with less, .NET itself may end the process before any of our code runs
    [InlineData(5_000_000)]
    public async Task Too_little_address_space_is_an_error_without_a_stack_trace(int kilobytes)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "ulimit -v is Linux's");
        var result = await SpeakProcess.ShellAsync(AppContext.BaseDirectory, $"ulimit -v {kilobytes}; $speak hi -o /dev/null");
        Assert.Equal(1, result.ExitCode);
        Assert.DoesNotContain("   at ", result.Error, StringComparison.Ordinal);
        Assert.Contains("ulimit -v", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Too_few_open_files_are_told_before_anything_is_loaded()
    {
        var result = await SpeakProcess.ShellAsync(AppContext.BaseDirectory, "ulimit -n 64; $speak hi");
        Assert.Equal((1, "speak: this process may open 64 files and needs 256. Raise the limit first: ulimit -n 1024\n"),
            (result.ExitCode, result.Error));
    }
}
