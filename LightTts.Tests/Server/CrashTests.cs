using System.Net;
using LightTts.Tests.Support;

namespace LightTts.Tests.Server;

/// <summary>The server's process killed and told to stop, under load.</summary>
public sealed class CrashTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("lighttts-server-").FullName;

    [Fact]
    public async Task Killed_under_load_it_comes_back_with_the_voices_it_has_learnt()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "there are no signals");
        var rounds = FullRun.Pick(3, 100);
        for (var round = 0; round <= rounds; round++)
        {
            using var server = await ServerProcess.StartAsync(_folder);
            if (round == 0)
                await AddVoiceAsync(server, "me");
            using (var voices = await server.Client.GetAsync("/v1/voices"))
                Assert.Contains("\"id\":\"me\"", await voices.Content.ReadAsStringAsync(), StringComparison.Ordinal);
            using (var spoken = await SpeakAsync(server, "Hello.", "me"))
                Assert.NotEmpty(await spoken.Content.ReadAsByteArrayAsync());
            if (round == rounds)
                break;
            // Streams that run, and a voice that is being learnt, at the moment of the kill.
            var running = Enumerable.Range(0, 4).Select(async _ =>
            {
                using var answer = await SpeakAsync(server, string.Concat(Enumerable.Repeat("This is a long story. ", 40)), "me");
                await answer.Content.ReadAsByteArrayAsync();
            }).Append(AddVoiceAsync(server, $"other{round}")).ToList();
            await Task.WhenAny(running.Append(SpeakAsync(server, "One.", "slt")));
            await server.SignalAsync("KILL");
            foreach (var request in running)
                if (await Record.ExceptionAsync(() => request) is { } error)
                    Assert.True(error is HttpRequestException or IOException, error.ToString());
            Assert.Equal(128 + 9, await server.ExitAsync());
        }
        // The segment, its lock, and the folder of the voices: nothing of a process that was killed is left beside them.
        Assert.Empty(Directory.GetFiles(_folder, "*.tmp", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task Told_to_stop_in_mid_stream_it_ends_every_stream_and_says_so()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "there are no signals");
        using var server = await ServerProcess.StartAsync(_folder, "--Server:DrainTimeout=00:04:00");
        const string text = "This is a sentence of a story. It takes a while to tell it. And this is its end.";
        using var whole = await SpeakAsync(server, text, "slt");
        var expected = await whole.Content.ReadAsByteArrayAsync();
        var streams = new List<HttpResponseMessage>();
        for (var i = 0; i < 4; i++)
            streams.Add(await SpeakAsync(server, text, "slt")); // their first audio has been promised
        await server.SignalAsync("TERM");
        foreach (var stream in streams)
        {
            Assert.Equal(expected, await stream.Content.ReadAsByteArrayAsync());
            stream.Dispose();
        }
        Assert.Equal(0, await server.ExitAsync());
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static async Task<HttpResponseMessage> SpeakAsync(ServerProcess server, string text, string voice)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/audio/speech")
        {
            Content = new StringContent($$"""{"input":"{{text}}","voice":"{{voice}}","response_format":"pcm","seed":3}"""),
        };
        var answer = await server.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return answer;
    }

    private static async Task AddVoiceAsync(ServerProcess server, string name)
    {
        using var form = new MultipartFormDataContent
        {
            { new StringContent(name), "name" },
            { new StringContent("The garden looks lovely this morning."), "transcript" },
            { new ByteArrayContent(await File.ReadAllBytesAsync(Path.Combine(Repo.TinyEn, "prompts", "slt.wav"))), "audio_sample", "slt.wav" },
        };
        using var answer = await server.Client.PostAsync("/v1/voices", form);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }
}
