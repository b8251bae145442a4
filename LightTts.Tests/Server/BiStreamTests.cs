using System.Net.WebSockets;
using System.Text;

namespace LightTts.Tests.Server;

/// <summary>The bi-stream protocol, frame by frame.</summary>
public class BiStreamTests
{
    [Fact]
    public async Task Text_goes_in_and_audio_comes_out_and_the_server_closes()
    {
        var pipeline = new StubPipeline();
        await using var server = await TestServer.StartAsync(pipeline);
        using var talk = await Talk.BeginAsync(server,
            """{"prompt_text":"You are a helpful assistant.<|endofprompt|>What it says.","tts_model_name":"default"}""");
        foreach (var piece in new[] { "", "One, ", "two, ", "three." })
            await talk.SendAsync($"{{\"tts_text\":\"{piece}\"}}");
        await talk.SendAsync("""{"finish":true,"tts_text":"ignored"}""");
        var (audio, text, status, reason) = await talk.ReadAsync();
        Assert.Equal([0, 64, 0, 224, 204, 12], audio); // 16384, -8192, 3276
        Assert.Empty(text);
        Assert.Equal((WebSocketCloseStatus.NormalClosure, ""), (status, reason));
        Assert.Equal("One, two, three.", string.Concat(pipeline.Text));
        Assert.Equal("What it says.", pipeline.Requests[^1].Timbre?.Transcript);
        await server.AssertServesAsync();
    }

    [Fact]
    public async Task Audio_comes_while_text_still_goes_in()
    {
        var loader = new Extensions.Fakes.FakeLoader();
        await using var server = await TestServer.StartAsync(loader);
        using var talk = await Talk.BeginAsync(server);
        for (var i = 0; i < 30; i++)
            await talk.SendAsync("""{"tts_text":"one two three four five six. "}""");
        var frame = await talk.Socket.ReceiveAsync(new byte[1 << 20], new CancellationTokenSource(10_000).Token);
        Assert.Equal(WebSocketMessageType.Binary, frame.MessageType);
        await talk.SendAsync("""{"finish":true}""");
        Assert.Equal(WebSocketCloseStatus.NormalClosure, (await talk.ReadAsync()).Status);
        await loader.Pipeline.Engine.AssertIdle();
    }

    [Fact]
    public async Task A_voice_by_its_name_needs_no_upload()
    {
        var pipeline = new StubPipeline();
        await using var server = await TestServer.StartAsync(pipeline);
        using var talk = await Talk.ConnectAsync(server);
        await talk.SendAsync("""{"voice":"bob"}""");
        await talk.SendAsync("""{"tts_text":"Hi."}""");
        await talk.SendAsync("""{"finish":true}""");
        Assert.Equal(6, (await talk.ReadAsync()).Audio.Length);
        Assert.Equal("bob", pipeline.Requests[^1].Voice);
    }

    [Theory]
    [InlineData("junk", WebSocketCloseStatus.InvalidMessageType, "audio file format is incorrect")]
    [InlineData("", WebSocketCloseStatus.InvalidMessageType, "audio file format is incorrect")]
    public async Task Audio_that_cannot_be_read_closes_with_1003(string wav, WebSocketCloseStatus status, string reason)
    {
        await using var server = await TestServer.StartAsync(new StubPipeline());
        using var talk = await Talk.BeginAsync(server, wav: Encoding.UTF8.GetBytes(wav));
        var end = await talk.ReadAsync();
        Assert.Equal((status, reason), (end.Status, end.Reason));
        await server.AssertServesAsync();
    }

    [Theory]
    [InlineData("{\"tts_text\":\"Hi.\"}", "{broken", "{\"error\":\"Server error: the message is not valid JSON\"}")]
    [InlineData("{\"tts_text\":\"Hi.\"}", "[1]", "{\"error\":\"Server error: a JSON object is expected\"}")]
    [InlineData("{\"tts_text\":\"Hi.\"}", "{\"tts_text\":null}", "{\"error\":\"Server error: tts_text must be a string\"}")]
    [InlineData("{\"tts_text\":7}", "{\"finish\":true}", "{\"error\":\"Server error: tts_text must be a string\"}")]
    public async Task What_breaks_the_protocol_in_the_text_is_told_in_a_frame(string first, string second, string error)
    {
        await using var server = await TestServer.StartAsync(new StubPipeline());
        using var talk = await Talk.BeginAsync(server);
        await talk.SendAsync(first);
        await talk.SendAsync(second);
        var (_, text, status, _) = await talk.ReadAsync();
        Assert.Equal([error], text);
        Assert.Equal(WebSocketCloseStatus.NormalClosure, status);
        await server.AssertServesAsync();
    }

    [Fact]
    public async Task An_unknown_style_is_told_in_a_frame()
    {
        await using var server = await TestServer.StartAsync(new StubPipeline());
        using var talk = await Talk.ConnectAsync(server);
        await talk.SendAsync("""{"prompt_text":"x","tts_model_name":"nobody"}""");
        var (_, text, status, _) = await talk.ReadAsync();
        Assert.Equal(["{\"error\":\"Server error: There is no such model. The models are: cosyvoice.\"}"], text);
        Assert.Equal(WebSocketCloseStatus.NormalClosure, status);
        await server.AssertServesAsync();
    }

    [Theory]
    [InlineData("{\"tts_model_name\":\"default\"}", WebSocketCloseStatus.InvalidPayloadData)]
    [InlineData("{\"prompt_text\":null}", WebSocketCloseStatus.InvalidPayloadData)]
    [InlineData("null", WebSocketCloseStatus.InvalidPayloadData)]
    [InlineData("{", WebSocketCloseStatus.InvalidPayloadData)]
    [InlineData("", WebSocketCloseStatus.InvalidPayloadData)]
    public async Task A_first_frame_that_is_none_closes(string opening, WebSocketCloseStatus status)
    {
        await using var server = await TestServer.StartAsync(new StubPipeline());
        using var talk = await Talk.ConnectAsync(server);
        await talk.SendAsync(opening);
        Assert.Equal(status, (await talk.ReadAsync()).Status);
        await server.AssertServesAsync();
    }

    [Fact]
    public async Task Finish_before_any_text_is_an_end()
    {
        await using var server = await TestServer.StartAsync(new StubPipeline());
        using var talk = await Talk.BeginAsync(server);
        await talk.SendAsync("""{"finish":true}""");
        var (audio, text, status, _) = await talk.ReadAsync();
        Assert.Empty(audio);
        Assert.Empty(text);
        Assert.Equal(WebSocketCloseStatus.NormalClosure, status);
        await server.AssertServesAsync();
    }

    [Fact]
    public async Task A_socket_that_says_nothing_is_closed_and_held_no_place()
    {
        await using var server = await TestServer.StartAsync(new StubPipeline(), "--Server:IdleTimeout=00:00:00.3",
            "--Server:MaxConcurrentRequests=1");
        var talks = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => Talk.ConnectAsync(server)));
        using (var answer = await server.ZeroShotAsync(TestServer.Form()))
            Assert.Equal(200, (int)answer.StatusCode);
        foreach (var talk in talks)
        {
            Assert.Equal(WebSocketCloseStatus.PolicyViolation, (await talk.ReadAsync()).Status);
            talk.Dispose();
        }
        await server.AssertServesAsync();
    }

    [Fact]
    public async Task A_client_that_leaves_after_finish_is_noticed()
    {
        var pipeline = new StubPipeline { Speak = (_, token) => StubPipeline.Held(new TaskCompletionSource().Task, token) };
        await using var server = await TestServer.StartAsync(pipeline);
        var talk = await Talk.BeginAsync(server);
        await talk.SendAsync("""{"tts_text":"Hi."}""");
        await talk.SendAsync("""{"finish":true}""");
        await talk.Socket.ReceiveAsync(new byte[1024], CancellationToken.None);
        Assert.Equal(1, pipeline.Active);
        talk.Socket.Abort();
        talk.Dispose();
        await server.Admission.WhenIdle().WaitAsync(TimeSpan.FromSeconds(5));
        Assert.Equal(0, pipeline.Active);
        pipeline.Speak = (_, _) => StubPipeline.Chunks([0.5f]);
        await server.AssertServesAsync();
    }
}
