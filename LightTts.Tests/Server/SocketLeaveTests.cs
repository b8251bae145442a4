using System.Net.Sockets;
using System.Text;
using LightTts.Tests.Extensions.Fakes;

namespace LightTts.Tests.Server;

/// <summary>Clients that leave a web socket at any byte, and requests that outlive their time.</summary>
public class SocketLeaveTests
{
    public static TheoryData<int> Points => [.. Enumerable.Range(0, 20)];

    /// <summary>A reset after a share of what the client says, or after some of what it hears; every other one before it has said "finish".</summary>
    [Theory]
    [MemberData(nameof(Points))]
    public async Task A_talker_who_leaves_at_any_point_leaves_nothing(int point)
    {
        var loader = new FakeLoader();
        await using var server = await TestServer.StartAsync(loader);
        using (var socket = await RawSocket.ConnectAsync(server))
        {
            socket.Stream.Socket.LingerState = new LingerOption(true, 0);
            byte[] talk =
            [
                .. RawSocket.Frame(1, """{"prompt_text":"What it says."}"""u8.ToArray()), .. RawSocket.Frame(2, TestServer.Voice()),
                .. Enumerable.Repeat(Hosts.Story + " ", 20).SelectMany(text =>
                    RawSocket.Frame(1, Encoding.UTF8.GetBytes($$"""{"tts_text":"{{text}}"}"""))),
                .. point % 2 == 0 ? RawSocket.Frame(1, """{"finish":true}"""u8.ToArray()) : [],
            ];
            await socket.Stream.WriteAsync(talk.AsMemory(0, point < 10 ? talk.Length * point / 10 : talk.Length));
            if (point >= 10)
                await socket.Stream.ReadExactlyAsync(new byte[1 + 20 * (point - 10)]);
        }
        await loader.Pipeline.Engine.AssertIdle();
        await server.AssertServesAsync();
    }

    [Theory]
    [InlineData("/inference_zero_shot", 417)]
    [InlineData("/v1/audio/speech", 504)]
    public async Task A_request_that_outlives_its_time_is_told_so_and_holds_nothing(string path, int status)
    {
        var loader = new FakeLoader();
        await using var server = await TestServer.StartAsync(loader, "--Server:RequestTimeout=00:00:01");
        using (var brake = new Brake(loader.Pipeline.Engine.World, "decode", 1)) // a stage that stands, as a device that is busy with others
        {
            using var answer = path.StartsWith("/v1", StringComparison.Ordinal)
                ? await server.Client.PostAsync(path, new StringContent($$"""{"input":"{{Hosts.Story}}"}"""))
                : await server.ZeroShotAsync(TestServer.Form(Hosts.Story));
            Assert.Equal(status, (int)answer.StatusCode);
            Assert.DoesNotContain("   at ", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        }
        await loader.Pipeline.Engine.AssertIdle();
        await server.AssertServesAsync();
    }

    /// <summary>What streams when its time is over breaks off; a talker is told in a frame.</summary>
    [Fact]
    public async Task A_stream_that_outlives_its_time_breaks_off()
    {
        var loader = new FakeLoader();
        await using var server = await TestServer.StartAsync(loader, "--Server:RequestTimeout=00:00:01");
        using (var brake = new Brake(loader.Pipeline.Engine.World, "decode", 2))
        {
            var error = await Assert.ThrowsAsync<HttpRequestException>(() =>
                server.ZeroShotAsync(TestServer.Form(Hosts.Story, more: ("stream", "true"))));
            Assert.IsAssignableFrom<IOException>(error.InnerException); // the body ends before its end
        }
        await loader.Pipeline.Engine.AssertIdle();
        using (var brake = new Brake(loader.Pipeline.Engine.World, "decode", 1))
        {
            using var talk = await Talk.BeginAsync(server);
            await talk.SendAsync($$"""{"tts_text":"{{Hosts.Story}}"}""");
            await talk.SendAsync("""{"finish":true}""");
            Assert.StartsWith("{\"error\":\"Server error: ", (await talk.ReadAsync()).Text.Single(), StringComparison.Ordinal);
        }
        await loader.Pipeline.Engine.AssertIdle();
        await server.AssertServesAsync();
    }
}
