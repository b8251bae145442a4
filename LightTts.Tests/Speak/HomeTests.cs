namespace LightTts.Tests.Speak;

/// <summary>What the command line does where nothing of the user's can be written, and the exit codes of learning a voice.</summary>
public sealed class HomeTests : IDisposable
{
    // Nobody can make files there, not even the superuser.
    private const string NoHome = "HOME=/proc/1/fdinfo XDG_DATA_HOME= XDG_CACHE_HOME= XDG_STATE_HOME=";

    private readonly string _folder = Directory.CreateTempSubdirectory("lighttts-home-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_home_that_cannot_be_written_stops_nothing_but_keeping_a_voice()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "/proc is Linux's");
        var spoken = await SpeakProcess.ShellAsync(_folder, $"{NoHome} $speak Good morning, this is a voice to learn from. --steps 1 -q -o me.wav");
        Assert.Equal((0, ""), (spoken.ExitCode, spoken.Error));
        var learnt = await SpeakProcess.ShellAsync(_folder, $"{NoHome} $speak timbres add me{Guid.NewGuid():N} me.wav");
        Assert.Equal((1, ""), (learnt.ExitCode, learnt.Output));
        Assert.StartsWith("speak: ", learnt.Error);
        Assert.Contains("/proc/1/fdinfo", learnt.Error);
        Assert.Contains("Durable", learnt.Error);
    }

    [Fact]
    public async Task Learning_a_voice_tells_by_its_exit_code_how_it_went()
    {
        await SpeakProcess.ShellAsync(_folder, "$speak Good morning, this is a voice to learn from. --steps 1 -q --timbres voices -o me.wav; "
            + "head -c 3000 me.wav > short.wav; echo no sound > text.wav");
        (string Arguments, int Code, string Says)[] cases =
        [
            ("alice me.wav", 0, ""),
            ("alice me.wav", 0, ""),
            ("slt me.wav", 2, "'slt'"),
            ("a/b me.wav", 2, "A voice's name consists of"),
            ("bob missing.wav", 1, "missing.wav"),
            ("bob text.wav", 1, "WAV"),
            ("bob short.wav", 1, "damaged or incomplete"),
        ];
        foreach (var (arguments, code, says) in cases)
        {
            var result = await SpeakProcess.ShellAsync(_folder, $"$speak timbres add {arguments} --timbres voices");
            Assert.True(result.ExitCode == code, $"{arguments}: {result.ExitCode} {result.Error}");
            Assert.Contains(says, result.Error);
            Assert.Equal(code == 0, result.Output.StartsWith("alice ", StringComparison.Ordinal));
            Assert.DoesNotContain("   at ", result.Error);
        }
        Assert.StartsWith("alice", (await SpeakProcess.ShellAsync(_folder, "$speak timbres list --timbres voices")).Output);
        if (!OperatingSystem.IsLinux())
            return;
        var unwritable = await SpeakProcess.ShellAsync(_folder, "$speak timbres add bob me.wav --timbres /proc/1/fdinfo/voices");
        Assert.Equal((1, ""), (unwritable.ExitCode, unwritable.Output));
        Assert.Contains("/proc/1/fdinfo/voices", unwritable.Error);
    }
}
