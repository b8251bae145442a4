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
        List<string> learnt = ["me"];
        for (var round = 0; round <= rounds; round++)
        {
            using var server = await ServerProcess.StartAsync(_folder);
            if (round == 0)
                await AddVoiceAsync(server, "me");
            using (var voices = await server.Client.GetAsync("/v1/voices"))
            {
                var known = await voices.Content.ReadAsStringAsync();
                Assert.All(learnt, name => Assert.Contains($"\"id\":\"{name}\"", known, StringComparison.Ordinal)); // whatever was confirmed
            }
            using (var spoken = await SpeakAsync(server, "Hello.", "me"))
                Assert.NotEmpty(await spoken.Content.ReadAsByteArrayAsync());
            if (round == rounds)
                break;
            // Streams that run, and a voice that is being learnt, at the moment of the kill.
            var running = Enumerable.Range(0, 4).Select(async _ =>
            {
                using var answer = await SpeakAsync(server, string.Concat(Enumerable.Repeat("This is a long story. ", 40)), "me");
                await answer.Content.ReadAsByteArrayAsync();
            }).ToList();
            var adding = AddVoiceAsync(server, $"other{round}", round % 2 == 0 ? "rms" : "slt");
            // Every other time as soon as anything is done, else when the voice has been confirmed.
            await (round % 2 == 0 ? Task.WhenAny(running.Append(adding).Append(SpeakAsync(server, "One.", "slt"))) : adding);
            await server.SignalAsync("KILL");
            running.Add(adding);
            foreach (var request in running)
                if (await Record.ExceptionAsync(() => request) is { } error)
                    Assert.True(error is HttpRequestException or IOException, error.ToString());
            if (adding.IsCompletedSuccessfully)
                learnt.Add($"other{round}");
            Assert.Equal(128 + 9, await server.ExitAsync());
        }
        Assert.True(learnt.Count > rounds / 2);
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
        using var talk = await Talk.ConnectAsync(server.Client.BaseAddress!.Port);
        await talk.SendAsync("""{"voice":"slt"}""");
        await talk.SendAsync("""{"tts_text":"This is a sentence of a story. "}""");
        var frame = await talk.Socket.ReceiveAsync(new byte[1 << 20], CancellationToken.None);
        Assert.True(frame.MessageType == System.Net.WebSockets.WebSocketMessageType.Binary, talk.Socket.CloseStatusDescription + server.Output);
        await server.SignalAsync("TERM");
        foreach (var stream in streams)
        {
            Assert.Equal(expected, await stream.Content.ReadAsByteArrayAsync());
            stream.Dispose();
        }
        // A talker who was being spoken for may say the rest and hears it.
        await talk.SendAsync("""{"tts_text":"And this is its end."}""");
        await talk.SendAsync("""{"finish":true}""");
        var end = await talk.ReadAsync();
        Assert.Equal(System.Net.WebSockets.WebSocketCloseStatus.NormalClosure, end.Status);
        Assert.InRange(end.Audio.Length, 12_000, 960_000);
        Assert.Equal(0, await server.ExitAsync());
        Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(_folder, "temporary")));
    }

    [Fact]
    public async Task Interrupted_twice_it_does_not_wait_for_what_runs()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "there are no signals");
        Assert.SkipWhen(IgnoresInterrupts(), "interrupts are ignored: a shell started the tests in its background");
        using var server = await ServerProcess.StartAsync(_folder, "--Server:DrainTimeout=00:04:00");
        using var stream = await SpeakAsync(server, string.Concat(Enumerable.Repeat("This is a long story. ", 400)), "slt");
        await server.SignalAsync("INT");
        await server.SeesAsync("another Ctrl-C ends them");
        await server.SignalAsync("INT");
        await Assert.ThrowsAnyAsync<Exception>(() => stream.Content.ReadAsByteArrayAsync()); // broken off, which a client can tell from an end
        Assert.Equal(0, await server.ExitAsync());
    }

    private static bool IgnoresInterrupts()
    {
        const string name = "SigIgn:";
        if (!OperatingSystem.IsLinux())
            return false;
        var ignored = File.ReadLines("/proc/self/status").FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal));
        return ignored is not null && (Convert.ToUInt64(ignored[name.Length..].Trim(), 16) & 1UL << 1) != 0; // SIGINT is the second
    }

    /// <summary>The seed system speaks on in the voice of whoever came last, where its cache is full.</summary>
    [Fact]
    public async Task A_voice_that_others_push_out_of_the_cache_is_spoken_to_its_end()
    {
        using var server = await ServerProcess.StartAsync(_folder, "--cache_capacity", "1");
        await AddVoiceAsync(server, "me");
        const string text = "This is a sentence of a story. It takes a while to tell it. And this is its end.";
        byte[] alone;
        using (var spoken = await SpeakAsync(server, text, "me"))
            alone = await spoken.Content.ReadAsByteArrayAsync();
        List<HttpResponseMessage> speaking = [];
        for (var i = 0; i < 4; i++)
            speaking.Add(await SpeakAsync(server, text, "me"));
        foreach (var other in new[] { "awb", "gb", "rms", "us" })
        {
            using var pushed = await server.Client.PostAsync("/inference_zero_shot",
                TestServer.Form("Hello.", "A voice.", await PromptAsync(other)));
            Assert.NotEmpty(await pushed.Content.ReadAsByteArrayAsync());
        }
        foreach (var answer in speaking)
        {
            Assert.Equal(alone, await answer.Content.ReadAsByteArrayAsync());
            answer.Dispose();
        }
        using var again = await SpeakAsync(server, text, "me");
        Assert.Equal(alone, await again.Content.ReadAsByteArrayAsync());
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

    private static Task<byte[]> PromptAsync(string prompt) => File.ReadAllBytesAsync(Path.Combine(Repo.TinyEn, "prompts", prompt + ".wav"));

    private static async Task AddVoiceAsync(ServerProcess server, string name, string prompt = "slt")
    {
        using var form = new MultipartFormDataContent
        {
            { new StringContent(name), "name" },
            { new StringContent("The garden looks lovely this morning."), "transcript" },
            { new ByteArrayContent(await PromptAsync(prompt)), "audio_sample", "a.wav" },
        };
        using var answer = await server.Client.PostAsync("/v1/voices", form);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }
}
