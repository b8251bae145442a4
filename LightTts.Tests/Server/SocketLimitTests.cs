using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using LightTts.Samples.Server.Requests;
using LightTts.Tests.Extensions.Fakes;

namespace LightTts.Tests.Server;

/// <summary>What a client may hold before anything is spoken for it: connections, uploads, time; and who may ask at all.</summary>
public class SocketLimitTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    [Theory]
    [InlineData("192.0.2.1", "192.0.2.1")]
    [InlineData("::ffff:192.0.2.1", "192.0.2.1")]
    [InlineData("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64")]
    [InlineData("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64")]
    [InlineData("2001:db8:1:3::1", "2001:db8:1:3::/64")]
    [InlineData("::1", "::1")]
    public void Addresses_of_one_client_are_one(string address, string group) => Assert.Equal(group, AddressGroup.Of(IPAddress.Parse(address)));

    [Fact]
    public async Task One_address_cannot_take_every_connection()
    {
        await using var server = await TestServer.StartAsync(new StubPipeline(), "--Server:MaxConnections=10", "--Server:MaxConnectionsPerAddress=5");
        List<TcpClient> held = [];
        for (var i = 0; i < 5; i++)
        {
            held.Add(await server.ConnectAsync());
            // A connection is there for its client before the server has counted it: once it was answered, it was.
            await held[^1].GetStream().WriteAsync("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"u8.ToArray());
            Assert.NotEqual(0, await held[^1].GetStream().ReadAsync(new byte[1]).AsTask().WaitAsync(Patience));
        }
        Assert.Equal("", await HealthAsync(server, "127.0.0.1"));
        Assert.StartsWith("HTTP/1.1 200", await HealthAsync(server, "127.0.0.2"), StringComparison.Ordinal);
        held.ForEach(client => client.Dispose());
        Assert.True(SpinWait.SpinUntil(() => HealthAsync(server, "127.0.0.1").Result.Length > 0, Patience));
        await server.AssertServesAsync();
    }

    [Fact]
    public async Task Uploads_that_never_end_take_neither_all_uploads_nor_a_place()
    {
        await using var server = await TestServer.StartAsync(new StubPipeline(), "--Server:MaxConcurrentRequests=2",
            "--Server:ApiKeys:0:Name=one", "--Server:ApiKeys:0:Key=1111111111111111", "--Server:ApiKeys:1:Name=two",
            "--Server:ApiKeys:1:Key=2222222222222222");
        var begun = Encoding.ASCII.GetBytes("POST /inference_zero_shot HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer 1111111111111111\r\n"
            + "Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 100000\r\n\r\n--x\r\n");
        List<TcpClient> held = [];
        for (var i = 0; i < 3; i++)
        {
            held.Add(await server.ConnectAsync());
            await held[^1].GetStream().WriteAsync(begun);
        }
        Assert.True(SpinWait.SpinUntil(() => server.Admission.Uploads == 3, Patience));
        Assert.Equal(0, server.Admission.Active);
        server.Client.DefaultRequestHeaders.Authorization = new("Bearer", "1111111111111111");
        using (var fourth = await server.ZeroShotAsync(TestServer.Form()))
        {
            Assert.Equal(HttpStatusCode.TooManyRequests, fourth.StatusCode);
            Assert.Equal("""{"message":"3 of your uploads are being read, your limit."}""", await fourth.Content.ReadAsStringAsync());
            Assert.NotNull(fourth.Headers.RetryAfter);
        }
        server.Client.DefaultRequestHeaders.Authorization = new("Bearer", "2222222222222222");
        using (var other = await server.ZeroShotAsync(TestServer.Form()))
            Assert.Equal(HttpStatusCode.OK, other.StatusCode); // served beside them
        held.ForEach(client => client.Dispose());
        Assert.True(SpinWait.SpinUntil(() => server.Admission.Uploads == 0, Patience));
        server.Client.DefaultRequestHeaders.Authorization = new("Bearer", "1111111111111111");
        await server.AssertServesAsync();
    }

    [Fact]
    public async Task Audio_that_waits_for_its_text_is_an_upload_until_it_is_spoken_with_or_left()
    {
        var gate = new TaskCompletionSource();
        var pipeline = new StubPipeline { Speak = (_, token) => StubPipeline.Held(gate.Task, token) };
        await using var server = await TestServer.StartAsync(pipeline, "--Server:MaxUploads=1", "--Server:IdleTimeout=00:00:02");
        using var first = await Talk.BeginAsync(server);
        Assert.True(SpinWait.SpinUntil(() => server.Admission.Uploads == 1, Patience));
        using (var second = await Talk.BeginAsync(server))
        {
            var (_, text, status, _) = await second.ReadAsync();
            Assert.Equal(["{\"error\":\"Server error: The server reads 1 uploads, its limit.\"}"], text);
            Assert.Equal(WebSocketCloseStatus.NormalClosure, status);
        }
        await first.SendAsync("""{"tts_text":"Hi."}""");
        Assert.True(SpinWait.SpinUntil(() => server.Admission is { Uploads: 0, Active: 1 }, Patience));
        await first.SendAsync("""{"finish":true}""");
        gate.SetResult();
        Assert.Equal(4, (await first.ReadAsync()).Audio.Length);
        using (var third = await Talk.BeginAsync(server))
        {
            Assert.True(SpinWait.SpinUntil(() => server.Admission.Uploads == 1, Patience));
            Assert.Equal(WebSocketCloseStatus.PolicyViolation, (await third.ReadAsync()).Status); // it never said what to speak
        }
        await server.AssertServesAsync();
    }

    [Theory]
    [InlineData("/inference_zero_shot", "multipart/form-data; boundary=x", "")]
    [InlineData("/v1/audio/speech", "application/json", "HTTP/1.1 408 ")]
    public async Task A_body_has_its_time(string path, string type, string told)
    {
        await using var server = await TestServer.StartAsync(new StubPipeline(), "--Server:RequestTimeout=00:00:01",
            "--Server:MinDataRateGrace=00:01:00");
        var answer = await server.RawAsync($"POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: {type}\r\n"
            + "Content-Length: 100000\r\n\r\n{");
        Assert.StartsWith(told, answer, StringComparison.Ordinal);
        Assert.DoesNotContain("200", answer, StringComparison.Ordinal);
        Assert.True(SpinWait.SpinUntil(() => server.Logs.GetSnapshot().Any(line => line.Message.Contains("408 upload_timeout",
            StringComparison.Ordinal)), Patience));
        Assert.Equal(0, server.Admission.Uploads);
        await server.AssertServesAsync();
    }

    [Theory]
    [InlineData(null, null, true)]
    [InlineData("http://127.0.0.1:{port}", null, true)]
    [InlineData("https://speech.example", "speech.example", true)] // behind a proxy
    [InlineData("https://good.example", null, true)]
    [InlineData("https://bad.example", null, false)]
    [InlineData("https://bad.example", "speech.example", false)]
    [InlineData("http://127.0.0.1:1", null, false)]
    [InlineData("null", null, false)]
    public async Task Pages_of_other_origins_are_refused(string? origin, string? forwarded, bool served)
    {
        await using var server = await TestServer.StartAsync(new StubPipeline(), "--Server:CorsOrigins:0=https://good.example");
        origin = origin?.Replace("{port}", $"{server.Port}", StringComparison.Ordinal);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/inference_zero_shot") { Content = TestServer.Form() };
        using var socket = new ClientWebSocket();
        foreach (var (name, value) in new[] { ("Origin", origin), ("X-Forwarded-Host", forwarded) })
            if (value is not null)
            {
                request.Headers.TryAddWithoutValidation(name, value);
                socket.Options.SetRequestHeader(name, value);
            }
        using var answer = await server.Client.SendAsync(request);
        Assert.Equal(served ? HttpStatusCode.OK : HttpStatusCode.Forbidden, answer.StatusCode);
        var error = await Record.ExceptionAsync(() => socket.ConnectAsync(new Uri($"ws://127.0.0.1:{server.Port}/inference_zero_shot_bistream"),
            TestContext.Current.CancellationToken));
        Assert.Equal(served, error is null); // CORS does not hold for web sockets
        socket.Dispose();
        await server.AssertServesAsync();
    }

    [Theory]
    [InlineData("localhost:{port}", null, "200")]
    [InlineData("127.0.0.1:{port}", null, "200")]
    [InlineData("rebound.example:{port}", null, "403")] // a name whose owner points it at the loopback
    [InlineData("localhost:{port}", "https://bad.example", "403")]
    public async Task The_admin_port_is_not_for_pages(string host, string? origin, string status)
    {
        await using var server = await TestServer.StartAsync(new FakeLoader(), "--Server:AdminPort=0");
        var port = server.Addresses[1].Port;
        using var client = new TcpClient();
        await client.ConnectAsync("127.0.0.1", port);
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes($"GET /admin/status HTTP/1.1\r\nConnection: close\r\n"
            + $"Host: {host.Replace("{port}", $"{port}", StringComparison.Ordinal)}\r\n{(origin is null ? "" : $"Origin: {origin}\r\n")}\r\n"));
        Assert.StartsWith($"HTTP/1.1 {status} ", await TestServer.ReadToEndAsync(client), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_finds_no_place_costs_nothing_of_the_rate()
    {
        var gate = new TaskCompletionSource();
        var pipeline = new StubPipeline { Speak = (_, token) => StubPipeline.Held(gate.Task, token) };
        await using var server = await TestServer.StartAsync(pipeline, "--Server:ApiKeys:0:Name=one", "--Server:ApiKeys:0:Key=1111111111111111",
            "--Server:ApiKeys:0:RequestsPerMinute=2", "--Server:ApiKeys:0:MaxConcurrentRequests=1");
        server.Client.DefaultRequestHeaders.Authorization = new("Bearer", "1111111111111111");
        var running = server.ZeroShotAsync(TestServer.Form());
        Assert.True(SpinWait.SpinUntil(() => pipeline.Active == 1, Patience));
        for (var i = 0; i < 5; i++)
        {
            using var busy = await server.ZeroShotAsync(TestServer.Form());
            Assert.Equal("""{"message":"1 of your requests run already, your limit."}""", await busy.Content.ReadAsStringAsync());
        }
        gate.SetResult();
        (await running).Dispose();
        await server.Admission.WhenIdle();
        using (var second = await server.ZeroShotAsync(TestServer.Form()))
            Assert.Equal(HttpStatusCode.OK, second.StatusCode);
        await server.Admission.WhenIdle();
        using var third = await server.ZeroShotAsync(TestServer.Form());
        Assert.Equal("""{"message":"Too many requests in a minute."}""", await third.Content.ReadAsStringAsync());
    }

    /// <summary>Three times as many arrive as can be served, whether or not the ones before are done.</summary>
    [Fact]
    public async Task Overload_is_refused_at_once_and_is_over_when_it_is_over()
    {
        const int places = 4;
        var pipeline = new StubPipeline { Speak = static (_, token) => Slow(token) };
        await using var server = await TestServer.StartAsync(pipeline, $"--Server:MaxConcurrentRequests={places}",
            $"--Server:MaxRequestsPerClient={places}", "--Server:MaxUploads=64");
        using var arrivals = new PeriodicTimer(TimeSpan.FromMilliseconds(100.0 / (3 * places)));
        List<Task<(HttpStatusCode Status, TimeSpan Time, bool Retry)>> calls = [];
        var most = 0;
        while (calls.Count < 200 && await arrivals.WaitForNextTickAsync())
        {
            calls.Add(CallAsync(server));
            most = Math.Max(most, pipeline.Active);
        }
        var ends = await Task.WhenAll(calls);
        var refused = ends.Where(end => end.Status != HttpStatusCode.OK).ToList();
        Assert.True(most <= places);
        Assert.InRange(refused.Count, ends.Length / 2, ends.Length - 1);
        Assert.All(refused, end => Assert.Equal((HttpStatusCode.TooManyRequests, true), (end.Status, end.Retry)));
        var typical = refused.Select(end => end.Time).Order().ElementAt(refused.Count / 2);
        Assert.True(typical < TimeSpan.FromMilliseconds(100), $"refused after {typical.TotalMilliseconds:0} ms"); // sooner than one is served
        await server.AssertServesAsync();
    }

    /// <summary>A reader of a few bytes at a time is as bad as none: it may hold its stream for so long as its chunk may take, no longer.</summary>
    [Fact]
    public async Task A_reader_that_trickles_is_given_up_and_holds_nobody_up()
    {
        var produced = 0;
        async IAsyncEnumerable<float[]> Count([System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken token = default)
        {
            await foreach (var chunk in StubPipeline.Endless(token))
            {
                Interlocked.Increment(ref produced);
                yield return chunk;
            }
        }
        var pipeline = new StubPipeline { Speak = (_, token) => Count(token) };
        await using var server = await TestServer.StartAsync(pipeline, "--Server:SendTimeout=00:00:01");
        using var client = await server.ConnectAsync();
        client.ReceiveBufferSize = 4096;
        await client.GetStream().WriteAsync(Encoding.Latin1.GetBytes(TestServer.RawPost(TestServer.Form(more: ("stream", "true")))));
        using var drops = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        var buffer = new byte[10]; // 100 bytes a second
        var watch = Stopwatch.StartNew();
        while (await drops.WaitForNextTickAsync())
        {
            if (await Record.ExceptionAsync(() => client.GetStream().ReadExactlyAsync(buffer).AsTask()) is not null)
                break;
            if (watch.Elapsed > TimeSpan.FromSeconds(2) && server.Admission.Active == 0)
                break;
            Assert.True(watch.Elapsed < TimeSpan.FromSeconds(30));
        }
        await server.Admission.WhenIdle().WaitAsync(Patience);
        // What the sockets hold, and not a chunk more: the stream waits for its reader.
        Assert.InRange(produced, 1, 600);
        pipeline.Speak = (_, _) => StubPipeline.Chunks([0.5f]);
        await server.AssertServesAsync();
    }

    [Theory]
    [InlineData("true")]
    [InlineData("false")]
    public async Task No_audio_at_all_and_very_much_in_one_piece_are_answers(string stream)
    {
        var pipeline = new StubPipeline { Speak = (_, _) => StubPipeline.Chunks() };
        await using var server = await TestServer.StartAsync(pipeline);
        using (var empty = await server.ZeroShotAsync(TestServer.Form(more: ("stream", stream))))
            Assert.Equal((HttpStatusCode.OK, 0), (empty.StatusCode, (await empty.Content.ReadAsByteArrayAsync()).Length));
        using (var wav = await server.Client.PostAsync("/v1/audio/speech", new StringContent("""{"input":"Hi.","response_format":"wav"}""")))
            Assert.Equal(44, (await wav.Content.ReadAsByteArrayAsync()).Length); // a header, and nothing behind it
        pipeline.Speak = (_, _) => StubPipeline.Chunks(new float[1_000_000]); // the seed system dies of more than 65,536
        using (var large = await server.ZeroShotAsync(TestServer.Form(more: ("stream", stream))))
            Assert.Equal(2_000_000, (await large.Content.ReadAsByteArrayAsync()).Length);
        await server.AssertServesAsync();
    }

    private static async Task<string> HealthAsync(TestServer server, string from)
    {
        try
        {
            using var client = new TcpClient(new IPEndPoint(IPAddress.Parse(from), 0));
            await client.ConnectAsync("127.0.0.1", server.Port);
            await client.GetStream().WriteAsync("GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"u8.ToArray());
            return await TestServer.ReadToEndAsync(client);
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            return ""; // hung up on before it could say anything
        }
    }

    private static async IAsyncEnumerable<float[]> Slow([System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken token = default)
    {
        yield return [0.5f];
        using var tenth = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        await tenth.WaitForNextTickAsync(token); // the time that a request takes
        yield return [0.25f];
    }

    private static async Task<(HttpStatusCode Status, TimeSpan Time, bool Retry)> CallAsync(TestServer server)
    {
        var watch = Stopwatch.StartNew();
        using var answer = await server.ZeroShotAsync(TestServer.Form());
        return (answer.StatusCode, watch.Elapsed, answer.Headers.RetryAfter is not null);
    }
}
