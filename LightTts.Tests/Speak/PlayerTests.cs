namespace LightTts.Tests.Speak;

/// <summary>Which program plays, what it is handed, and what happens when it fails; stand-ins for players write down what they hear.</summary>
public sealed class PlayerTests : IDisposable
{
    private const string Say = "$speak Good morning. --steps 1 --timbres voices --play";

    // Takes a stream or, where it was handed a file's name, that file.
    private const string Stand = "#!/bin/sh\\nif [ -f \"$1\" ]; then /bin/cat \"$1\"; else /bin/cat; fi > \"${0##*/}.wav\"\\n";

    private static readonly string[] s_players = ["pw-play", "paplay", "aplay", "ffplay", "play", "afplay"];

    private readonly string _folder = Directory.CreateTempSubdirectory("lighttts-player-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("pw-play")]
    [InlineData("paplay")]
    [InlineData("aplay")]
    [InlineData("ffplay")]
    [InlineData("play")]
    [InlineData("afplay")]
    public async Task The_first_of_the_known_players_that_is_there_plays_all_of_it(string player)
    {
        // It is there, and so are all that come after it.
        var there = string.Join(' ', s_players[Array.IndexOf(s_players, player)..]);
        var result = await SpeakProcess.ShellAsync(_folder,
            $"mkdir bin; for p in {there}; do printf '{Stand}' > bin/$p; chmod +x bin/$p; done; PATH=$PWD/bin {Say}");
        Assert.Equal(0, result.ExitCode);
        Assert.Contains($"speak: playing with {player}\n", result.Error);
        Assert.Equal(Path.Combine(_folder, player + ".wav"), Assert.Single(Directory.GetFiles(_folder, "*.wav")));
        var heard = await File.ReadAllBytesAsync(Path.Combine(_folder, player + ".wav"));
        Assert.Equal("RIFF"u8.ToArray(), heard[..4]);
        Assert.InRange(heard.Length, 20_000, 1_000_000);
        // A file has a length; a stream's stays open.
        Assert.Equal(player == "afplay" ? (uint)heard.Length - 8 : uint.MaxValue, BitConverter.ToUInt32(heard, 4));
    }

    [Theory]
    [InlineData("pw-play", "exit 3", "pw-play could not play the audio (exit code 3)")]
    [InlineData("aplay", "exec 0<&-; exit 0", "aplay ended before the audio did")]
    [InlineData("afplay", "exit 1", "afplay could not play the audio (exit code 1)")]
    public async Task A_player_that_fails_is_an_error_that_says_what_to_do(string player, string script, string expected)
    {
        var result = await SpeakProcess.ShellAsync(_folder,
            $"mkdir bin; printf '#!/bin/sh\\n{script}\\n' > bin/{player}; chmod +x bin/{player}; PATH=$PWD/bin {Say} -q");
        Assert.Equal(1, result.ExitCode);
        Assert.StartsWith($"speak: {expected}", result.Error);
        Assert.Contains("-o speech.wav", result.Error);
    }
}
