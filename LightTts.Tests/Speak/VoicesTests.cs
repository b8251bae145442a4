using System.Text.Json.Nodes;

namespace LightTts.Tests.Speak;

/// <summary>Voices on the command line: by name and number, learnt, named, pinned, exported.</summary>
public sealed class VoicesTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("lighttts-voices-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_voice_lives_under_all_its_names()
    {
        await RunAsync("This is a voice to learn from, and it goes on for a good while, so that there is enough.", "--steps", "1", "-v", "2", "-q",
            "-o", "me.wav");
        await RunAsync("timbres", "add", "alice", "me.wav", "--pin");
        await RunAsync("timbres", "add", "bob", "me.wav");
        var list = JsonNode.Parse(await RunAsync("timbres", "list", "--json"))!.AsArray();
        var voice = Assert.Single(list)!;
        Assert.Equal(["alice", "bob"], voice["names"]!.AsArray().Select(name => (string)name!).Order());
        Assert.True((bool)voice["pinned"]!);
        Assert.Equal(2, (await RunAsync("timbres", "list")).TrimEnd().Split('\n').Length);

        await RunAsync("timbres", "rename", "bob", "carol");
        await RunAsync("timbres", "unpin", "carol");
        await RunAsync("timbres", "export", "carol", "carol.timbre");
        await RunAsync("timbres", "remove", "alice");
        Assert.StartsWith("carol", await RunAsync("timbres", "list"));
        await RunAsync("timbres", "remove", ((string)voice["id"]!)[..16]);
        Assert.Equal("", await RunAsync("timbres", "list"));
        await RunAsync("timbres", "import", "carol.timbre");
        Assert.Contains(((string)voice["id"]!)[..16], await RunAsync("timbres", "list"));

        await RunAsync("--convert", "me.wav", "-v", "slt", "-q", "-o", "hers.wav");
        var (mine, hers) = (AudioClip.FromWavFile(Path.Combine(_folder, "me.wav")), AudioClip.FromWavFile(Path.Combine(_folder, "hers.wav")));
        Assert.Equal(mine.Duration.TotalSeconds, hers.Duration.TotalSeconds, 0.05);

        var unknown = await SpeakProcess.RunAsync(_folder, ["hi", "-v", "carl", "--timbres", "voices"]);
        Assert.Equal(2, unknown.ExitCode);
        Assert.Contains("Did you mean carol?", unknown.Error);
        Assert.Contains("slt, ", unknown.Error);
        Assert.Contains("  2  rms", await RunAsync("--list-voices"));
        Assert.Equal("slt", (string)JsonNode.Parse(await RunAsync("--list-voices", "--json"))![0]!["name"]!);
        Assert.Equal(24_000, (int)JsonNode.Parse(await RunAsync("--inspect", "--json"))!["sampleRate"]!);
    }

    private async Task<string> RunAsync(params string[] arguments)
    {
        var result = await SpeakProcess.RunAsync(_folder, [.. arguments, "--timbres", "voices"]);
        Assert.True(result.ExitCode == 0, $"{string.Join(' ', arguments)}: {result.ExitCode} {result.Error}");
        return result.Output;
    }
}
