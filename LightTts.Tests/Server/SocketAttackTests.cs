using System.IO.Compression;
using System.Net;
using System.Net.Sockets;
using System.Text;
using LightTts.Tests.Extensions.Fakes;

namespace LightTts.Tests.Server;

/// <summary>Attacks over sockets that need frames and bodies made by hand: floods,
/// fragments without end, bombs, connections that only seem to live.</summary>
public class SocketAttackTests
{
    private const int Text = 1, Binary = 2, Close = 8, Ping = 9, Continuation = 0;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task A_flood_of_pings_whose_answers_nobody_reads_ends_with_its_socket()
    {
        await using var server = await TestServer.StartAsync(new StubPipeline(), "--Server:IdleTimeout=00:00:01");
        using var flood = await RawSocket.ConnectAsync(server);
        var pings = Enumerable.Repeat(RawSocket.Frame(Ping, new byte[125]), 100).SelectMany(frame => frame).ToArray();
        var flooding = flood.FloodAsync(pings, Patience);
        await server.AssertServesAsync(); // beside it
        Assert.True(await flooding > 0);
        await server.AssertServesAsync();
    }

    [Fact]
    public async Task Pings_are_answered_while_the_server_speaks_and_after_finish()
    {
        var gate = new TaskCompletionSource();
        await using var server = await TestServer.StartAsync(new StubPipeline { Speak = (_, token) => StubPipeline.Held(gate.Task, token) });
        using var socket = await RawSocket.ConnectAsync(server);
        await socket.SendAsync(Text, """{"voice":"ann"}""");
        await socket.SendAsync(Text, """{"tts_text":"Hi."}""");
        await socket.SendAsync(Text, """{"finish":true}""");
        await socket.SendAsync(Ping, "are you there");
        var seen = new StringBuilder();
        var buffer = new byte[256];
        while (!seen.ToString().Contains("are you there", StringComparison.Ordinal))
        {
            var count = await socket.Stream.ReadAsync(buffer).AsTask().WaitAsync(Patience);
            Assert.NotEqual(0, count);
            seen.Append(Encoding.Latin1.GetString(buffer, 0, count));
        }
        gate.SetResult();
        Assert.Equal(1000, await socket.CloseCodeAsync());
    }

    [Theory]
    [InlineData(Text, 1009)]   // more than a text may have
    [InlineData(Binary, 1008)] // nobody waits for binary here: it is thrown away, and counts as silence
    public async Task Fragments_without_end_are_bounded(int kind, int code)
    {
        await using var server = await TestServer.StartAsync(new StubPipeline(), "--Server:IdleTimeout=00:00:01");
        using var socket = await RawSocket.ConnectAsync(server);
        await socket.SendAsync(kind, new byte[1000], last: false);
        var flooding = socket.FloodAsync(RawSocket.Frame(Continuation, new byte[1000], last: false), Patience);
        Assert.Equal(code, await socket.CloseCodeAsync());
        Assert.True(await flooding > 0);
        await server.AssertServesAsync();
    }

    [Fact]
    public async Task An_upload_by_fragments_ends_at_its_limit()
    {
        await using var server = await TestServer.StartAsync(new StubPipeline(), "--Server:MaxUploadBytes=100000");
        using var socket = await RawSocket.ConnectAsync(server);
        await socket.SendAsync(Text, """{"prompt_text":"What it says."}""");
        await socket.SendAsync(Binary, new byte[1000], last: false);
        var flooding = socket.FloodAsync(RawSocket.Frame(Continuation, new byte[1000], last: false), Patience);
        Assert.Equal(1009, await socket.CloseCodeAsync());
        await flooding;
        await server.AssertServesAsync();
    }

    public static TheoryData<string, byte[], int?> Frames => new()
    {
        { "a frame that says 2^62 bytes", [0x82, 0xFF, 0x40, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 1008 },
        { "a negative length", [0x82, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0], 1002 },
        { "without a mask", [0x81, 8, 1, 2, 3, 4, 5, 6, 7, 8], 1002 },
        { "reserved bits", [0xF1, 0x80, 0, 0, 0, 0], 1002 },
        { "an opcode that is none", [0x85, 0x80, 0, 0, 0, 0], 1002 },
        { "a continuation of nothing", RawSocket.Frame(Continuation, [1]), 1002 },
        { "a fragmented ping", RawSocket.Frame(Ping, [1], last: false), 1002 },
        { "a ping that is too long", RawSocket.Frame(Ping, new byte[200]), 1002 },
        { "text that is no UTF-8", RawSocket.Frame(Text, [0xFF, 0xFE, 0xC0, 0x80]), 1007 },
        { "null", RawSocket.Frame(Text, "null"u8.ToArray()), 1007 },
        { "fields of null", RawSocket.Frame(Text, """{"prompt_text":null,"tts_model_name":null}"""u8.ToArray()), 1007 },
        { "binary first", RawSocket.Frame(Binary, [1, 2, 3]), 1003 },
        { "a close of its own", RawSocket.Frame(Close, [3, 232]), 1000 },
        { "a close with a code that is none", RawSocket.Frame(Close, [0, 1]), 1002 },
    };

    [Theory]
    [MemberData(nameof(Frames))]
    public async Task Frames_that_break_the_protocol_get_its_codes(string what, byte[] frame, int? code)
    {
        await using var server = await TestServer.StartAsync(new StubPipeline(), "--Server:IdleTimeout=00:00:01");
        using var socket = await RawSocket.ConnectAsync(server);
        await socket.Stream.WriteAsync(frame);
        Assert.Equal((what, code), (what, await socket.CloseCodeAsync()));
        await server.AssertServesAsync();
    }

    [Fact]
    public async Task Packed_bodies_are_not_unpacked()
    {
        await using var server = await TestServer.StartAsync(new StubPipeline());
        using var packed = new MemoryStream();
        await using (var gzip = new GZipStream(packed, CompressionLevel.SmallestSize, leaveOpen: true))
        {
            var zeros = new byte[1 << 20];
            for (var i = 0; i < 100; i++)
                await gzip.WriteAsync(zeros); // 100 MB in 100 KB
        }
        foreach (var (path, type) in new[] { ("/inference_zero_shot", "multipart/form-data; boundary=x"), ("/v1/audio/speech", "application/json"),
            ("/v1/voices", "multipart/form-data; boundary=x") })
        {
            using var body = new ByteArrayContent(packed.ToArray());
            body.Headers.TryAddWithoutValidation("Content-Type", type);
            body.Headers.ContentEncoding.Add("gzip");
            using var answer = await server.Client.PostAsync(path, body);
            Assert.Equal(HttpStatusCode.UnsupportedMediaType, answer.StatusCode);
            Assert.Contains("without Content-Encoding", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        }
        await server.AssertServesAsync();
    }

    /// <summary>A peer whose machine is gone never says so: its connection is open for ever as far as TCP knows.</summary>
    [Fact]
    public async Task Connections_that_only_seem_to_live_are_let_go()
    {
        var pipeline = new StubPipeline { Speak = (_, token) => StubPipeline.Held(new TaskCompletionSource().Task, token) };
        await using var server = await TestServer.StartAsync(pipeline, "--Server:PingInterval=00:00:00.2", "--Server:PingTimeout=00:00:00.5",
            "--Server:KeepAliveTimeout=00:00:01");
        using var speaking = await RawSocket.ConnectAsync(server);
        await speaking.SendAsync(Text, """{"voice":"ann"}""");
        await speaking.SendAsync(Text, """{"tts_text":"Hi."}""");
        await speaking.SendAsync(Text, """{"finish":true}"""); // from now on it is the server's turn: no idle time runs
        List<TcpClient> silent = [];
        for (var i = 0; i < 20; i++)
            silent.Add(await server.ConnectAsync()); // and says nothing at all
        Assert.True(SpinWait.SpinUntil(() => pipeline.Active == 1, 5000));
        await server.Admission.WhenIdle().WaitAsync(Patience); // it answers no pings
        Assert.True(SpinWait.SpinUntil(() => pipeline.Active == 0, 5000));
        foreach (var client in silent)
            Assert.Empty(await TestServer.ReadToEndAsync(client));
        silent.ForEach(client => client.Dispose());
        pipeline.Speak = (_, _) => StubPipeline.Chunks([0.5f]);
        await server.AssertServesAsync();
    }

    [Fact]
    public async Task A_thousand_idle_sockets_hold_nothing_and_are_sent_away()
    {
        await using var server = await TestServer.StartAsync(new StubPipeline(), "--Server:IdleTimeout=00:00:05", "--Server:MaxConcurrentRequests=2");
        var sockets = await Task.WhenAll(Enumerable.Range(0, 1000).Select(async i =>
        {
            var socket = await RawSocket.ConnectAsync(server);
            if (i % 2 == 0)
                await socket.SendAsync(Text, """{"voice":"ann"}"""); // half of them are ready to be spoken for
            return socket;
        }));
        Assert.Equal(0, server.Admission.Active);
        await server.AssertServesAsync(); // beside all of them
        var codes = await Task.WhenAll(sockets.Select(socket => socket.CloseCodeAsync()));
        Assert.All(codes, code => Assert.Equal(1008, code));
        await server.AssertServesAsync();
        Array.ForEach(sockets, socket => socket.Dispose());
    }

    /// <summary>Eight clients ask for the same speech again and again while every kind of attack runs beside them: not one byte changes.</summary>
    [Fact]
    public async Task What_peers_hear_does_not_change_beside_an_attacker()
    {
        var loader = new FakeLoader();
        await using var server = await TestServer.StartAsync(loader, "--Server:MaxRequestsPerClient=32");
        async Task<byte[]> Peer(int seed)
        {
            using var answer = await server.Client.PostAsync("/v1/audio/speech",
                new StringContent($$"""{"input":"{{Hosts.Story}}","response_format":"pcm","seed":{{seed}},"speed":{{(seed % 3 == 0 ? 2 : 1)}}}"""));
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            return await answer.Content.ReadAsByteArrayAsync();
        }
        var alone = new byte[8][];
        for (var i = 0; i < alone.Length; i++)
            Assert.NotEmpty(alone[i] = await Peer(i));
        using var stop = new CancellationTokenSource();
        var peers = Task.WhenAll(Enumerable.Range(0, alone.Length).Select(async i =>
        {
            do
                Assert.Equal(alone[i], await Peer(i));
            while (!stop.IsCancellationRequested);
        }));
        var random = new Random(11);
        for (var round = 0; round < 60; round++)
            await AttackAsync(server, round % 6, random);
        await stop.CancelAsync();
        await peers.WaitAsync(TimeSpan.FromSeconds(60));
        await server.AssertServesAsync();
        await loader.Pipeline.Engine.AssertIdle();
    }

    private static async Task AttackAsync(TestServer server, int kind, Random random)
    {
        var noise = new byte[random.Next(1, 2000)];
        random.NextBytes(noise);
        switch (kind)
        {
            case 0: // noise instead of HTTP
                await server.RawAsync(Encoding.Latin1.GetString(noise) + "\r\n\r\n");
                break;
            case 1: // a poisoned voice
                using (await server.ZeroShotAsync(TestServer.Form(wav: noise)))
                    break;
            case 2: // a listener who leaves in the middle of the sentence
                using (var client = await server.ConnectAsync())
                {
                    client.LingerState = new LingerOption(true, 0);
                    await client.GetStream().WriteAsync(Encoding.Latin1.GetBytes(TestServer.RawPost(TestServer.Form(Hosts.Story,
                        more: ("stream", "1")))));
                    await client.GetStream().ReadExactlyAsync(new byte[random.Next(1, 100)]); // the head of the answer is longer
                }
                break;
            case 3: // a talker who leaves in the middle of the word
                using (var talk = await Talk.BeginAsync(server))
                {
                    await talk.SendAsync("""{"tts_text":"one two thr"}""");
                    talk.Socket.Abort();
                }
                break;
            case 4: // noise instead of frames
                using (var socket = await RawSocket.ConnectAsync(server))
                {
                    await socket.SendAsync(Text, """{"voice":"slt"}""");
                    await socket.SendAsync(Text, """{"tts_text":"one two three."}""");
                    if (await Record.ExceptionAsync(() => socket.Stream.WriteAsync(noise).AsTask()) is null)
                        await socket.CloseCodeAsync(); // else the server was faster
                }
                break;
            default: // what cannot be done
                using (await server.ZeroShotAsync(TestServer.Form(more: ("speed", "nan"))))
                using (await server.Client.PostAsync("/v1/audio/speech", new StringContent("""{"input":"Hi.","voice":"nobody"}""")))
                    break;
        }
    }
}
