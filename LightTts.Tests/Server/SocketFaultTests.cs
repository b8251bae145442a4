using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using LightTts.Tests.Extensions.Fakes;

namespace LightTts.Tests.Server;

/// <summary>Faults over real sockets: after each the server serves, and nothing of the fault is left in it.</summary>
public class SocketFaultTests
{
    [Fact]
    public async Task Poison_audio_is_refused_each_time_and_leaves_nothing()
    {
        var pipeline = new StubPipeline();
        await using var server = await TestServer.StartAsync(pipeline);
        var good = TestServer.Voice();
        byte[] With(int at, params byte[] bytes)
        {
            var wav = (byte[])good.Clone();
            bytes.CopyTo(wav, at);
            return wav;
        }
        byte[][] poison =
        [
            [], good[..12], good[..44], good[..46], good[..1000], With(0, (byte)'R', (byte)'I', (byte)'F', (byte)'X'), With(24, 0, 0, 0, 0),
                With(24, 255, 255, 255, 127),
            With(22, 0), With(22, 255, 255), With(34, 7), With(32, 0, 0), With(20, 99), Encoding.ASCII.GetBytes("RIFF"), new byte[5000],
            TestServer.Voice(0.05), TestServer.Voice(30.01),
            TestServer.Voice(31), TestServer.Voice(1, 8000), new AudioClip(new float[24_000], 24_000).ToWav(),
            new AudioClip(Enumerable.Repeat(float.NaN, 24_000).ToArray(), 24_000).ToWav(WavSampleFormat.Float32),
            new AudioClip(Enumerable.Repeat(1e30f, 24_000).ToArray(), 24_000).ToWav(WavSampleFormat.Float32),
        ];
        foreach (var (number, wav) in poison.Index())
            for (var round = 0; round < 3; round++)
            {
                var watch = Stopwatch.StartNew();
                using var answer = await server.ZeroShotAsync(TestServer.Form(wav: wav));
                Assert.True(answer.StatusCode == HttpStatusCode.BadRequest, $"case {number}: {answer.StatusCode}");
                Assert.DoesNotContain("   at ", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
                Assert.True(watch.Elapsed < TimeSpan.FromSeconds(5), "took too long");
            }
        await server.AssertServesAsync();
        Assert.Single(await pipeline.Timbres.ListAsync()); // only the good one
    }

    [Fact]
    public async Task The_same_poison_at_once_gets_the_same_answer()
    {
        await using var server = await TestServer.StartAsync(new StubPipeline(), "--Server:MaxConcurrentRequests=256");
        var answers = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => server.ZeroShotAsync(TestServer.Form(wav: TestServer.Voice(0.2)))));
        var bodies = await Task.WhenAll(answers.Select(answer => answer.Content.ReadAsStringAsync()));
        Assert.Single(bodies.Distinct());
        Assert.All(answers, answer => Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode));
        await server.AssertServesAsync();
    }

    [Fact]
    public async Task Thirty_seconds_are_taken_and_ten_hours_are_refused_from_the_header()
    {
        await using var server = await TestServer.StartAsync(new StubPipeline());
        using (var taken = await server.ZeroShotAsync(TestServer.Form(wav: TestServer.Voice(30))))
            Assert.Equal(HttpStatusCode.OK, taken.StatusCode);
        var hours = TestServer.Voice();
        BitConverter.GetBytes(24_000 * 2 * 36_000u).CopyTo(hours, 40);
        using var refused = await server.ZeroShotAsync(TestServer.Form(wav: hours));
        Assert.Equal("""{"message":"The prompt audio is too long; 0.5 to 30 s of speech are needed."}""", await refused.Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData("0", 400)]
    [InlineData("-1", 400)]
    [InlineData("nan", 400)]
    [InlineData("inf", 400)]
    [InlineData("1e-9", 400)]
    [InlineData("1e9", 400)]
    [InlineData("abc", 422)]
    public async Task Speeds_that_are_none_take_no_place(string speed, int status)
    {
        await using var server = await TestServer.StartAsync(new StubPipeline(), "--Server:MaxConcurrentRequests=2");
        for (var i = 0; i < 30; i++)
        {
            using var answer = await server.ZeroShotAsync(TestServer.Form(more: ("speed", speed)));
            Assert.Equal(status, (int)answer.StatusCode);
        }
        await server.AssertServesAsync();
    }

    [Theory]
    [InlineData("../../etc")]
    [InlineData("/etc/passwd")]
    [InlineData("a\0b")]
    [InlineData("\\\\host\\share")]
    public async Task Style_names_open_nothing(string name)
    {
        await using var server = await TestServer.StartAsync(new StubPipeline());
        foreach (var style in new[] { name, new string('x', 4000) })
            for (var i = 0; i < 10; i++)
            {
                using var answer = await server.ZeroShotAsync(TestServer.Form(more: ("tts_model_name", style)));
                Assert.Equal(417, (int)answer.StatusCode);
                Assert.DoesNotContain(style, await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
            }
        await server.AssertServesAsync();
    }

    [Fact]
    public async Task Texts_that_are_too_long_or_no_text_are_bounded()
    {
        await using var server = await TestServer.StartAsync(new FakeLoader());
        foreach (var (text, status) in new[] { (new string('a', 1_000_000), 413), (new string('\u0301', 10_001), 413),
            (new string('(', 9_999) + "a", 200), ("\u202eabc\u200d def", 200), ("   ", 200) })
        {
            using var answer = await server.ZeroShotAsync(TestServer.Form(text));
            Assert.Equal(status, (int)answer.StatusCode);
        }
        // Bytes that are no UTF-8.
        var raw = TestServer.RawPost(TestServer.Form("@@@@ words")).Replace("@@@@", "\u00ff\u00fe\u00c0\u0080", StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 200", await server.RawAsync(raw), StringComparison.Ordinal);
        await server.AssertServesAsync();
    }

    public static TheoryData<int> Points => [.. Enumerable.Range(0, 20)];

    /// <summary>Disconnects after a share of the request's bytes, or after some bytes of the answer, whole and streamed.</summary>
    [Theory]
    [MemberData(nameof(Points))]
    public async Task A_client_that_leaves_at_any_point_leaves_nothing(int point)
    {
        var loader = new FakeLoader();
        await using var server = await TestServer.StartAsync(loader);
        var text = string.Concat(Enumerable.Repeat(Hosts.Story + " ", 20));
        var request = Encoding.Latin1.GetBytes(TestServer.RawPost(TestServer.Form(text, more: ("stream", point % 2 == 0 ? "true" : "false"))));
        using (var client = await server.ConnectAsync())
        {
            client.LingerState = new LingerOption(true, 0); // a reset, as a process that is killed leaves
            if (point < 10)
            {
                await client.GetStream().WriteAsync(request.AsMemory(0, request.Length * point / 10));
            }
            else
            {
                await client.GetStream().WriteAsync(request);
                for (var i = 10; i < point; i++)
                    if (await client.GetStream().ReadAsync(new byte[32]) == 0)
                        break;
            }
        }
        await server.Admission.WhenIdle().WaitAsync(TimeSpan.FromSeconds(5));
        await loader.Pipeline.Engine.AssertIdle();
        await server.AssertServesAsync();
    }

    [Fact]
    public async Task A_reader_that_does_not_read_is_given_up()
    {
        var pipeline = new StubPipeline { Speak = (_, token) => StubPipeline.Endless(token) };
        await using var server = await TestServer.StartAsync(pipeline, "--Server:SendTimeout=00:00:00.5");
        using var client = await server.ConnectAsync();
        client.ReceiveBufferSize = 4096;
        await client.GetStream().WriteAsync(Encoding.Latin1.GetBytes(TestServer.RawPost(TestServer.Form(more: ("stream", "true")))));
        var talk = await Talk.BeginAsync(server);
        await talk.SendAsync("""{"tts_text":"Hi."}""");
        await talk.SendAsync("""{"finish":true}""");
        Assert.True(SpinWait.SpinUntil(() => server.Admission.Active == 2, 5000));
        await server.Admission.WhenIdle().WaitAsync(TimeSpan.FromSeconds(8));
        Assert.Equal(0, pipeline.Active);
        pipeline.Speak = (_, _) => StubPipeline.Chunks([0.5f]);
        await server.AssertServesAsync();
        talk.Dispose();
    }

    [Fact]
    public async Task Headers_and_bodies_that_trickle_are_cut_off()
    {
        await using var server = await TestServer.StartAsync(new StubPipeline(), "--Server:HeadersTimeout=00:00:01",
            "--Server:MinDataRateGrace=00:00:01.1");
        List<TcpClient> clients = [];
        for (var i = 0; i < 50; i++)
        {
            var client = await server.ConnectAsync();
            clients.Add(client);
            await client.GetStream().WriteAsync("POST /inference_zero_shot HTTP/1.1\r\nHost: localhost\r\nX-A: "u8.ToArray());
        }
        var body = await server.ConnectAsync();
        await body.GetStream().WriteAsync(Encoding.ASCII.GetBytes("POST /inference_zero_shot HTTP/1.1\r\nHost: localhost\r\n"
            + "Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 100000\r\n\r\n--x\r\n"));
        var watch = Stopwatch.StartNew();
        using (var beside = await server.ZeroShotAsync(TestServer.Form()))
            Assert.Equal(HttpStatusCode.OK, beside.StatusCode);
        Assert.All(await Task.WhenAll(clients.Select(TestServer.ReadToEndAsync)), answer =>
        Assert.StartsWith("HTTP/1.1 408", answer, StringComparison.Ordinal));
        Assert.DoesNotContain("200 OK", await TestServer.ReadToEndAsync(body), StringComparison.Ordinal);
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(15));
        clients.ForEach(client => client.Dispose());
        body.Dispose();
        await server.AssertServesAsync();
    }

    public static TheoryData<string, string> BadRequests => new()
    {
        { "POST /inference_zero_shot HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: multipart/form-data; "
            + "boundary=x\r\nContent-Length: 10000000000\r\n\r\n--x", "413" },
        { $"GET /health HTTP/1.1\r\nHost: localhost\r\nX-Large: {new string('a', 100_000)}\r\n\r\n", "431" },
        { "POST /inference_zero_shot HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: multipart/form-data\r\nContent-Length: "
        + "5\r\n\r\nhello", "400" },
        { "POST /inference_zero_shot HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello",
        "400" },
        { Parts(5000), "400" },
        { "POST /v1/audio/speech HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: "
        + "20000000\r\n\r\n{", "413" },
        { "\u0016\u0003\u0001\u0002\0\u0001\0", "400" },
    };

    [Theory]
    [MemberData(nameof(BadRequests))]
    public async Task Requests_that_are_too_large_or_none_are_refused(string request, string status)
    {
        await using var server = await TestServer.StartAsync(new StubPipeline());
        var answer = await server.RawAsync(request);
        Assert.Matches($"^HTTP/1.1 {status} ", answer);
        await server.AssertServesAsync();
    }

    private static string Parts(int count)
    {
        var body = string.Concat(Enumerable.Range(0, count).Select(i => $"--x\r\nContent-Disposition: form-data; name=\"f{i}\"\r\n\r\nv\r\n"))
            + "--x--\r\n";
        return $"POST /inference_zero_shot HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: multipart/form-data; "
            + $"boundary=x\r\nContent-Length: {body.Length}\r\n\r\n{body}";
    }

    [Fact]
    public async Task Web_sockets_that_flood_are_bounded()
    {
        await using var server = await TestServer.StartAsync(new StubPipeline());
        using (var many = await Talk.BeginAsync(server))
        {
            for (var i = 0; i < 10_000; i++)
                await many.Socket.SendAsync("{"u8.ToArray(), WebSocketMessageType.Text, i == 9_999, CancellationToken.None);
            Assert.Equal("{\"error\":\"Server error: the message is not valid JSON\"}", (await many.ReadAsync()).Text.Single());
        }
        using (var large = await Talk.ConnectAsync(server))
        {
            await large.SendAsync(new string('x', 100_000));
            Assert.Equal(WebSocketCloseStatus.MessageTooBig, (await large.ReadAsync()).Status);
        }
        using (var deep = await Talk.BeginAsync(server))
        {
            await deep.SendAsync(new string('[', 10_000));
            Assert.Equal(WebSocketCloseStatus.NormalClosure, (await deep.ReadAsync()).Status);
        }
        using (var book = await Talk.BeginAsync(server))
        {
            for (var i = 0; i < 3; i++)
                await book.SendAsync($"{{\"tts_text\":\"{new string('a', 5_000)}\"}}");
            Assert.Equal(WebSocketCloseStatus.MessageTooBig, (await book.ReadAsync()).Status);
        }
        using (var early = await Talk.ConnectAsync(server))
        {
            await early.SendAsync(new byte[10]);
            Assert.Equal(WebSocketCloseStatus.InvalidMessageType, (await early.ReadAsync()).Status);
        }
        await server.AssertServesAsync();
    }

    [Fact]
    public async Task Frames_that_are_no_frames_end_their_socket_only()
    {
        await using var server = await TestServer.StartAsync(new StubPipeline());
        var random = new Random(5);
        for (var i = 0; i < 30; i++)
        {
            using var client = await server.ConnectAsync();
            await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes("GET /inference_zero_shot_bistream HTTP/1.1\r\nHost: localhost\r\n"
                + "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"));
            Assert.True(await client.GetStream().ReadAsync(new byte[1024]) > 0);
            var noise = new byte[200];
            random.NextBytes(noise);
            byte[][] frames = [noise, [0x81, 0x85, 0, 0, 0, 0, 0xFF, 0xFE, 0xC0, 0x80, 0x80], [0x81, 0x05, 1, 2, 3], [0x83, 0x80, 0, 0, 0, 0],
                [0x89, 0xFE, 1, 0]];
            await client.GetStream().WriteAsync(frames[i % frames.Length]);
            client.Client.Shutdown(SocketShutdown.Send);
            await TestServer.ReadToEndAsync(client); // ends: the server hangs on to none of them
        }
        await server.AssertServesAsync();
    }

    [Fact]
    public async Task Too_many_at_once_are_told_when_to_come_back()
    {
        var gate = new TaskCompletionSource();
        var pipeline = new StubPipeline { Speak = (_, token) => StubPipeline.Held(gate.Task, token) };
        await using var server = await TestServer.StartAsync(pipeline, "--Server:MaxConcurrentRequests=4", "--Server:MaxRequestsPerClient=4");
        var running = Enumerable.Range(0, 4).Select(_ => server.ZeroShotAsync(TestServer.Form())).ToList();
        Assert.True(SpinWait.SpinUntil(() => pipeline.Active == 4, 5000));
        for (var i = 0; i < 50; i++)
        {
            using var refused = await server.ZeroShotAsync(TestServer.Form());
            Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
            Assert.Equal(TimeSpan.FromSeconds(1), refused.Headers.RetryAfter!.Delta);
            Assert.Equal("""{"message":"The server speaks 4 requests, its limit."}""", await refused.Content.ReadAsStringAsync());
        }
        gate.SetResult();
        Assert.All(await Task.WhenAll(running), answer => Assert.Equal(HttpStatusCode.OK, answer.StatusCode));
        await server.AssertServesAsync();
    }

    [Fact]
    public async Task One_client_cannot_take_every_place()
    {
        var gate = new TaskCompletionSource();
        var pipeline = new StubPipeline { Speak = (_, token) => StubPipeline.Held(gate.Task, token) };
        await using var server = await TestServer.StartAsync(pipeline, "--Server:MaxConcurrentRequests=4", "--Server:ApiKeys:0:Name=one",
            "--Server:ApiKeys:0:Key=1111111111111111",
            "--Server:ApiKeys:1:Name=two", "--Server:ApiKeys:1:Key=2222222222222222");
        server.Client.DefaultRequestHeaders.Authorization = new("Bearer", "1111111111111111");
        var first = Enumerable.Range(0, 3).Select(_ => server.ZeroShotAsync(TestServer.Form())).ToList();
        Assert.True(SpinWait.SpinUntil(() => pipeline.Active == 3, 5000));
        using (var fourth = await server.ZeroShotAsync(TestServer.Form()))
            Assert.Equal(HttpStatusCode.TooManyRequests, fourth.StatusCode);
        server.Client.DefaultRequestHeaders.Authorization = new("Bearer", "2222222222222222");
        var other = server.ZeroShotAsync(TestServer.Form());
        Assert.True(SpinWait.SpinUntil(() => pipeline.Active == 4, 5000));
        gate.SetResult();
        Assert.All(await Task.WhenAll([.. first, other]), answer => Assert.Equal(HttpStatusCode.OK, answer.StatusCode));
    }
}
