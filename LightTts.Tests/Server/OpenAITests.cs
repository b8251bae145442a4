using System.ClientModel;
using System.Net;
using System.Text;
using System.Text.Json;
using LightTts.Extensions.Formats;
using LightTts.Tests.Extensions.Formats;
using OpenAI;
using OpenAI.Audio;

namespace LightTts.Tests.Server;

/// <summary>OpenAI's routes, by OpenAI's own client and by hand.</summary>
public class OpenAITests
{
    private static AudioClient ClientOf(TestServer server, string key = "any") =>
        new("tts-1", new ApiKeyCredential(key),
        new OpenAIClientOptions { Endpoint = new Uri(server.Addresses[0], "/v1"),
        RetryPolicy = new System.ClientModel.Primitives.ClientRetryPolicy(0) });

    [Fact]
    public async Task OpenAIs_client_speaks_in_every_format()
    {
        var pipeline = new StubPipeline { Speak = (_, _) => StubPipeline.Chunks(Sounds.Tone(24_000), Sounds.Tone(1)) };
        await using var server = await TestServer.StartAsync(pipeline);
        var client = ClientOf(server);
        async Task<byte[]> Speak(GeneratedSpeechFormat format) =>
            (await client.GenerateSpeechAsync("Hello world.", GeneratedSpeechVoice.Echo,
            new SpeechGenerationOptions { ResponseFormat = format })).Value.ToArray();

        var wav = AudioClip.FromWav(new MemoryStream(await Speak(GeneratedSpeechFormat.Wav)));
        Assert.Equal((24_001, 24_000), (wav.Samples.Length, wav.SampleRate));
        Assert.Equal(48_002, (await Speak(GeneratedSpeechFormat.Pcm)).Length);
        Assert.Equal(24_001, OggReader.Decode(await Speak(GeneratedSpeechFormat.Opus), 24_000).Length);
        Assert.Equal(24_001, new FlacReader(await Speak(GeneratedSpeechFormat.Flac)).Decode().Count);
        foreach (var (format, known) in new[] { (GeneratedSpeechFormat.Mp3, AudioFormat.Mp3), (GeneratedSpeechFormat.Aac, AudioFormat.Aac) })
            if (AudioFormats.IsAvailable(known))
                Assert.InRange((await AudioDecoder.DecodeAsync(new MemoryStream(await Speak(format)))).Duration.TotalSeconds, 0.9, 1.2);
            else
                Assert.Contains("ffmpeg", (await Assert.ThrowsAsync<ClientResultException>(() => Speak(format))).Message, StringComparison.Ordinal);
        Assert.Equal("bob", pipeline.Requests[^1].Voice); // the nearest to OpenAI's echo
    }

    [Fact]
    public async Task OpenAIs_client_understands_the_errors()
    {
        await using var server = await TestServer.StartAsync(new StubPipeline());
        var error = await Assert.ThrowsAsync<ClientResultException>(() =>
            ClientOf(server).GenerateSpeechAsync("Hello.", new GeneratedSpeechVoice("nobody")));
        Assert.Equal(400, error.Status);
        Assert.Contains("voice_not_found", error.Message, StringComparison.Ordinal);
        Assert.Contains("Parameter: voice", error.Message, StringComparison.Ordinal);
        var models = (await new OpenAIClient(new ApiKeyCredential("any"),
            new OpenAIClientOptions { Endpoint = new Uri(server.Addresses[0], "/v1") }).GetOpenAIModelClient().GetModelsAsync()).Value;
        Assert.Equal("cosyvoice", Assert.Single(models).Id);
    }

    [Theory]
    [InlineData("""{}""", 400, "input")]
    [InlineData("""{"input":"  "}""", 400, "input")]
    [InlineData("""{"input":7}""", 400, "input")]
    [InlineData("""{"input":"\ud800"}""", 400, "input")]
    [InlineData("""{"input":"Hi.","speed":0}""", 400, "speed")]
    [InlineData("""{"input":"Hi.","speed":1e9}""", 400, "speed")]
    [InlineData("""{"input":"Hi.","speed":"fast"}""", 400, "speed")]
    [InlineData("""{"input":"Hi.","response_format":"midi"}""", 400, "response_format")]
    [InlineData("""{"input":"Hi.","stream_format":"tape"}""", 400, "stream_format")]
    [InlineData("""{"input":"Hi.","response_format":"wav","sample_rate":7}""", 400, "sample_rate")]
    [InlineData("""{"input":"Hi.","voice":"../../etc/passwd"}""", 400, "voice")]
    [InlineData("""{"input":"Hi.","model":"nobody"}""", 404, "model")]
    [InlineData("""[]""", 400, null)]
    [InlineData("""{"input":""", 400, null)]
    public async Task Errors_have_OpenAIs_shape(string body, int status, string? parameter)
    {
        await using var server = await TestServer.StartAsync(new StubPipeline());
        using var answer = await PostAsync(server, body);
        Assert.Equal(status, (int)answer.StatusCode);
        using var json = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
        var error = json.RootElement.GetProperty("error");
        Assert.Equal(["message", "type", "param", "code"], error.EnumerateObject().Select(field => field.Name));
        Assert.Equal("invalid_request_error", error.GetProperty("type").GetString());
        Assert.Equal(parameter, error.GetProperty("param").GetString());
        await server.AssertServesAsync();
    }

    [Fact]
    public async Task Unknown_routes_below_v1_have_OpenAIs_shape()
    {
        await using var server = await TestServer.StartAsync(new StubPipeline());
        using var answer = await server.Client.GetAsync("/v1/nothing");
        Assert.Equal("""{"error":{"message":"Not Found","type":"invalid_request_error","param":null,"code":"not_found"}}""",
            await answer.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task The_python_clients_form_is_served()
    {
        await using var server = await TestServer.StartAsync(new StubPipeline());
        const string body = """{"input":"Hello.","model":"gpt-4o-mini-tts","voice":"alloy","instructions":"Cheerful.","response_format":"pcm"}""";
        var raw = await server.RawAsync("POST /v1/audio/speech HTTP/1.1\r\nHost: localhost\r\nAccept: application/octet-stream\r\nContent-Type: "
            + "application/json\r\n"
            + $"User-Agent: OpenAI/Python 1.99.0\r\nAuthorization: Bearer x\r\nX-Stainless-Lang: python\r\nConnection: close\r\nContent-Length: "
            + $"{body.Length}\r\n\r\n{body}");
        Assert.StartsWith("HTTP/1.1 200 OK\r\n", raw, StringComparison.Ordinal);
        Assert.Contains("Content-Type: audio/pcm\r\n", raw, StringComparison.Ordinal);
        Assert.EndsWith("\r\n4\r\n\0\u0040\0\u00e0\r\n2\r\n\u00cd\u000c\r\n0\r\n\r\n", raw, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Events_carry_the_audio_and_what_it_speaks()
    {
        await using var server = await TestServer.StartAsync(new StubPipeline());
        using var answer = await PostAsync(server, """{"input":"Hello.","response_format":"pcm","stream_format":"sse"}""");
        Assert.Equal("text/event-stream", answer.Content.Headers.ContentType!.MediaType);
        Assert.Equal("data: {\"type\":\"speech.audio.delta\",\"audio\":\"AEAA4A==\",\"start\":0,\"text_range\":[0,6]}\n\n"
            + "data: {\"type\":\"speech.audio.delta\",\"audio\":\"zQw=\",\"start\":1,\"text_range\":[0,6]}\n\n"
            + "data: {\"type\":\"speech.audio.done\",\"usage\":{\"input_tokens\":6,\"output_tokens\":6,\"total_tokens\":12}}\n\n",
            await answer.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Voices_are_added_used_listed_and_removed()
    {
        var pipeline = new StubPipeline();
        await using var server = await TestServer.StartAsync(pipeline);
        using (var added = await AddVoiceAsync(server, "mine"))
            Assert.Equal(HttpStatusCode.OK, added.StatusCode);
        Assert.Contains("\"id\":\"mine\"", await server.Client.GetStringAsync("/v1/voices"), StringComparison.Ordinal);
        using (var spoken = await PostAsync(server, """{"input":"Hi.","voice":"mine","response_format":"pcm"}"""))
            Assert.Equal(HttpStatusCode.OK, spoken.StatusCode);
        Assert.Equal("mine", pipeline.Requests[^1].Timbre?.Name);
        using (var removed = await server.Client.DeleteAsync("/v1/voices/mine"))
            Assert.Equal("""{"id":"mine","object":"voice","deleted":true}""", await removed.Content.ReadAsStringAsync());
        using (var again = await server.Client.DeleteAsync("/v1/voices/mine"))
            Assert.Equal(HttpStatusCode.NotFound, again.StatusCode);
        using (var preset = await server.Client.DeleteAsync("/v1/voices/ann"))
            Assert.Equal(HttpStatusCode.BadRequest, preset.StatusCode);
        foreach (var name in new[] { "", "ann", "alloy", "../x", "a b", "a.b", new string('x', 41) })
        {
            using var refused = await AddVoiceAsync(server, name);
            Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
        }
    }

    [Fact]
    public async Task Keys_have_their_own_voices_and_rates()
    {
        await using var server = await TestServer.StartAsync(new StubPipeline(), "--Server:ApiKeys:0:Name=one",
            "--Server:ApiKeys:0:Key=1111111111111111",
            "--Server:ApiKeys:1:Name=two", "--Server:ApiKeys:1:Key=2222222222222222", "--Server:ApiKeys:1:RequestsPerMinute=1");
        foreach (var path in new[] { "/v1/voices", "/v1/models" })
        {
            using var refused = await server.Client.GetAsync(path);
            Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
            Assert.Equal("Bearer", refused.Headers.WwwAuthenticate.ToString());
        }
        using (var refused = await server.ZeroShotAsync(TestServer.Form()))
            Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await server.Client.GetAsync("/health")).StatusCode);

        server.Client.DefaultRequestHeaders.Authorization = new("Bearer", "1111111111111111");
        (await AddVoiceAsync(server, "mine")).EnsureSuccessStatusCode();
        Assert.Contains("mine", await server.Client.GetStringAsync("/v1/voices"), StringComparison.Ordinal);
        server.Client.DefaultRequestHeaders.Authorization = new("Bearer", "2222222222222222");
        Assert.DoesNotContain("mine", await server.Client.GetStringAsync("/v1/voices"), StringComparison.Ordinal);
        using (var refused = await PostAsync(server, """{"input":"Hi.","voice":"one.mine"}"""))
            Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
        using (var spoken = await PostAsync(server, """{"input":"Hi.","response_format":"pcm"}"""))
            Assert.Equal(HttpStatusCode.OK, spoken.StatusCode);
        using (var late = await PostAsync(server, """{"input":"Hi.","response_format":"pcm"}"""))
        {
            Assert.Equal(HttpStatusCode.TooManyRequests, late.StatusCode);
            Assert.True(late.Headers.RetryAfter!.Delta > TimeSpan.Zero);
        }
    }

    private static Task<HttpResponseMessage> PostAsync(TestServer server, string body) =>
        server.Client.PostAsync("/v1/audio/speech", new StringContent(body, Encoding.UTF8, "application/json"));

    private static Task<HttpResponseMessage> AddVoiceAsync(TestServer server, string name) =>
        server.Client.PostAsync("/v1/voices", new MultipartFormDataContent
    {
        { new StringContent(name), "name" },
        { new StringContent("What it says."), "transcript" },
        { new ByteArrayContent(TestServer.Voice()), "audio_sample", "a.wav" },
    });
}
