namespace LightTts.Tests.Speak;

/// <summary>Where the command line's audio goes, and what it leaves alone.</summary>
public sealed class OutputTests : IDisposable
{
    private const string Say = "$speak Good morning. --steps 1 -q --timbres voices";

    private readonly string _folder = Directory.CreateTempSubdirectory("lighttts-speak-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_link_stays_its_target_is_written_and_a_neighbour_named_part_is_left_alone()
    {
        var result = await SpeakProcess.ShellAsync(_folder,
            $"echo mine > link.wav.part; echo old > real.wav; chmod 600 real.wav; ln -s real.wav link.wav; {Say} -o link.wav");
        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        Assert.Equal("real.wav", new FileInfo(File("link.wav")).LinkTarget);
        Assert.Equal("mine\n", await System.IO.File.ReadAllTextAsync(File("link.wav.part")));
        Assert.InRange(Read("real.wav").Duration.TotalSeconds, 0.3, 10);
        Assert.Equal("600\n", (await SpeakProcess.ShellAsync(_folder, "stat -c %a real.wav")).Output);
        Assert.Empty(Directory.GetFiles(_folder, ".*.part"));
    }

    [Fact]
    public async Task A_pipe_gets_a_header_of_open_length_and_stays_a_pipe()
    {
        var result = await SpeakProcess.ShellAsync(_folder,
            $"mkfifo pipe; cat pipe > heard.wav & {Say} -o pipe; code=$?; wait; test -p pipe && exit $code");
        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        var bytes = await System.IO.File.ReadAllBytesAsync(File("heard.wav"));
        Assert.Equal(0xFFFF_FFFF, BitConverter.ToUInt32(bytes, 4));
        Assert.InRange(bytes.Length, 20_000, 1_000_000);
    }

    [Fact]
    public async Task A_device_is_written_as_it_stands()
    {
        // A link to the device, in a folder that may be written to: what replaced the device would replace the link.
        var result = await SpeakProcess.ShellAsync(_folder,
            $"ln -s /dev/null null; {Say} -o null; code=$?; test -c /dev/null && test -L null && exit $code");
        Assert.Equal((0, ""), (result.ExitCode, result.Error));
    }

    [Fact]
    public async Task A_full_disk_is_said_and_leaves_nothing()
    {
        var result = await SpeakProcess.ShellAsync(_folder, $"{Say} -o /dev/full");
        Assert.Equal(1, result.ExitCode);
        Assert.StartsWith("speak: No space left on device", result.Error);
        result = await SpeakProcess.ShellAsync(_folder, $"{Say} -o - > /dev/full");
        Assert.Equal(1, result.ExitCode);
        Assert.StartsWith("speak: No space left on device", result.Error);
    }

    [Fact]
    public async Task A_reader_that_goes_ends_it_at_once()
    {
        await System.IO.File.WriteAllLinesAsync(File("book.txt"),
            Enumerable.Range(1, 2000).SelectMany(i => (string[])[$"This is line number {i} of a long book.", ""]));
        var result = await SpeakProcess.ShellAsync(_folder,
            "$speak -f book.txt --steps 1 --timbres voices -o - | head -c 1000 > heard; echo ${PIPESTATUS[0]}");
        Assert.Equal(("141\n", ""), (result.Output, result.Error));
        Assert.Equal(1000, new FileInfo(File("heard")).Length);
    }

    [Fact]
    public async Task Closed_output_is_an_error_with_a_cure()
    {
        var result = await SpeakProcess.ShellAsync(_folder, $"{Say} -o - >&-");
        Assert.Equal((1, "speak: Standard output is closed. Leave it open, or name a file: -o speech.wav\n"), (result.ExitCode, result.Error));
    }

    [Theory]
    [InlineData("--list-voices")]
    [InlineData("--inspect")]
    [InlineData("hi --show-text")]
    [InlineData("timbres list")]
    public async Task Nothing_is_printed_where_standard_output_is_closed(string arguments)
    {
        var result = await SpeakProcess.ShellAsync(_folder, $"$speak {arguments} --timbres voices >&-");
        Assert.Equal(1, result.ExitCode);
        Assert.StartsWith("speak: Standard output is closed. Leave it open: ", result.Error);
        Assert.Single(result.Error.TrimEnd().Split('\n'));
    }

    [Fact]
    public async Task Ctrl_c_removes_what_is_not_complete()
    {
        await System.IO.File.WriteAllLinesAsync(File("book.txt"),
            Enumerable.Range(1, 2000).SelectMany(i => (string[])[$"This is line number {i} of a long book.", ""]));
        // The part file is there as soon as it speaks. What runs the tests in the
        // background may have Ctrl-C ignored, which processes inherit: env undoes that.
        var result = await SpeakProcess.ShellAsync(_folder,
            "echo old > book.wav; set -m; env --default-signal=INT true 2> /dev/null && run='env --default-signal=INT'; $run $speak -f book.txt "
            + "--timbres voices --mode streaming -o book.wav & while ! ls .book.wav.*.part > parts 2>/dev/null; do :; done; kill -INT $!; wait $!; "
            + "echo $?");
        Assert.Equal("130", result.Output.Trim().Split('\n')[^1]);
        Assert.Contains("cancelled", result.Error);
        Assert.Empty(Directory.GetFiles(_folder, ".*.part"));
        Assert.Equal("old\n", await System.IO.File.ReadAllTextAsync(File("book.wav")));
    }

    [Fact]
    public async Task Without_an_output_or_a_terminal_it_writes_speech_wav_and_says_so()
    {
        var result = await SpeakProcess.RunAsync(_folder, ["--steps", "1", "--timbres", "voices"], "hello\n");
        Assert.Equal(0, result.ExitCode);
        Assert.StartsWith("speech.wav: ", result.Error);
        Assert.InRange(Read("speech.wav").Duration.TotalSeconds, 0.2, 10);
    }

    [Fact]
    public async Task Without_a_player_play_writes_speech_wav_and_says_so()
    {
        var result = await SpeakProcess.ShellAsync(_folder, $"mkdir bin; PATH=$PWD/bin; {Say} --play");
        Assert.Equal(0, result.ExitCode);
        Assert.Contains("none of the players pw-play, paplay, aplay", result.Error);
        Assert.Contains("is installed; writing speech.wav", result.Error);
        Assert.True(System.IO.File.Exists(File("speech.wav")));
    }

    [Fact]
    public async Task Raw_audio_has_the_scale_of_the_files()
    {
        var result = await SpeakProcess.ShellAsync(_folder, $"{Say} --seed 5 --mode whole -o a.wav; {Say} --seed 5 --mode whole -o - > a.raw");
        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        var wav = await System.IO.File.ReadAllBytesAsync(File("a.wav"));
        Assert.Equal(wav[^(wav.Length - 44)..], await System.IO.File.ReadAllBytesAsync(File("a.raw")));
    }

    private string File(string name) => Path.Combine(_folder, name);

    private AudioClip Read(string name)
    {
        using var stream = System.IO.File.OpenRead(File(name));
        return AudioClip.FromWav(stream);
    }
}
