namespace LightTts.Tests.Speak;

/// <summary>On a terminal: <c>script</c> gives the command one of its own.</summary>
public sealed class TerminalTests : IDisposable
{
    // A stand-in for a player, which keeps what it hears.
    private const string Player = "mkdir bin; printf '#!/bin/sh\\n/bin/cat > heard.wav\\n' > bin/aplay; chmod +x bin/aplay; ";

    private readonly string _folder = Directory.CreateTempSubdirectory("lighttts-terminal-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Without_an_output_it_plays_says_with_what_and_shows_how_far_it_is()
    {
        var result = await OnTerminalAsync($"{Player}PATH=$PWD/bin", "$speak Good morning. --steps 1 --timbres voices");
        Assert.Equal(0, result.ExitCode);
        Assert.Contains("speak: playing with aplay", result.Output);
        Assert.Matches(@"\r\[#*\.*\] +\d+ %  \d+\.\d s of audio", result.Output);
        Assert.Matches(@"aplay: \d+\.\d\d s of audio in", result.Output);
        Assert.InRange(new FileInfo(Path.Combine(_folder, "heard.wav")).Length, 20_000, 1_000_000);
        Assert.False(File.Exists(Path.Combine(_folder, "speech.wav")));
    }

    [Fact]
    public async Task Without_a_player_it_writes_speech_wav_and_says_so()
    {
        var result = await OnTerminalAsync("mkdir bin; PATH=$PWD/bin", "$speak Good morning. --steps 1 -q --timbres voices");
        Assert.Equal(0, result.ExitCode);
        Assert.Contains("is installed; writing speech.wav", result.Output);
        Assert.InRange(new FileInfo(Path.Combine(_folder, "speech.wav")).Length, 20_000, 1_000_000);
    }

    [Fact]
    public async Task A_file_that_is_named_is_written_and_nothing_is_played()
    {
        var result = await OnTerminalAsync($"{Player}PATH=$PWD/bin", "$speak Good morning. --steps 1 -q --timbres voices -o out.wav");
        Assert.Equal((0, ""), (result.ExitCode, result.Output.Trim()));
        Assert.True(File.Exists(Path.Combine(_folder, "out.wav")));
        Assert.False(File.Exists(Path.Combine(_folder, "heard.wav")));
    }

    [Fact]
    public async Task Alone_it_shows_its_help()
    {
        var result = await OnTerminalAsync("true", "$speak");
        Assert.Equal(0, result.ExitCode);
        Assert.Contains("Usage: speak", result.Output); // behind what sets the terminal up
    }

    [Fact]
    public async Task Without_a_terminal_at_all_it_speaks_as_well()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "setsid is Linux's");
        var result = await SpeakProcess.ShellAsync(_folder,
            "setsid -w $speak Good morning. --steps 1 -q --timbres voices < /dev/null > out 2> err; code=$?; cat out err; exit $code");
        Assert.Equal((0, ""), (result.ExitCode, result.Output));
        Assert.InRange(new FileInfo(Path.Combine(_folder, "speech.wav")).Length, 20_000, 1_000_000);
    }

    /// <param name="before">Runs before, and may set variables.</param>
    /// <param name="command">What runs on the terminal; its exit code is script's.</param>
    private async Task<SpeakResult> OnTerminalAsync(string before, string command)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && File.Exists("/usr/bin/script"), "needs util-linux's script");
        return await SpeakProcess.ShellAsync(_folder, $"export speak; {before}; export PATH SHELL=/bin/sh; "
            + $"/usr/bin/script -qefc '{command}' /dev/null < /dev/null");
    }
}
