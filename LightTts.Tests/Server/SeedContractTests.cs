using System.Net;
using System.Text;

namespace LightTts.Tests.Server;

/// <summary>What the seed system's clients depend on, byte for byte.</summary>
public class SeedContractTests
{
    [Fact]
    public async Task Styles_of_the_model_directory_are_listed_and_asked_for_by_name()
    {
        var pipeline = new StubPipeline { Styles = ["calm", "angry"] };
        await using var server = await TestServer.StartAsync(pipeline);
        Assert.Equal("""{"tts_models": ["calm", "angry"]}""", await server.Client.GetStringAsync("/query_tts_model"));
        foreach (var (asked, spoken) in new[] { ("angry", "angry"), ("default", null), ("calm", "calm") })
        {
            using var answer = await server.ZeroShotAsync(TestServer.Form(more: ("tts_model_name", asked)));
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            Assert.Equal(spoken, pipeline.Requests[^1].Style);
        }
        using var talk = await Talk.BeginAsync(server, """{"prompt_text":"Hi.","tts_model_name":"angry"}""");
        await talk.SendAsync("""{"tts_text":"Hello."}""");
        await talk.SendAsync("""{"finish":true}""");
        await talk.ReadAsync();
        Assert.Equal("angry", pipeline.Requests[^1].Style);
    }

    [Theory]
    [InlineData("GET", "/query_tts_model", 200, """{"tts_models": ["cosyvoice"]}""")]
    [InlineData("POST", "/query_tts_model", 200, """{"tts_models": ["cosyvoice"]}""")]
    [InlineData("GET", "/health", 200, """{"message":"Ok"}""")]
    [InlineData("GET", "/healthz", 200, """{"message":"Ok"}""")]
    [InlineData("GET", "/liveness", 200, """{"status":"ok"}""")]
    [InlineData("GET", "/readiness", 200, """{"status":"ok"}""")]
    [InlineData("GET", "/nothing/here", 404, """{"detail":"Not Found"}""")]
    [InlineData("GET", "/inference_zero_shot", 405, """{"detail":"Method Not Allowed"}""")]
    [InlineData("GET", "/inference_zero_shot_bistream", 404, """{"detail":"Not Found"}""")]
    public async Task Answers_are_these_bytes(string method, string path, int status, string body)
    {
        await using var server = await TestServer.StartAsync(new StubPipeline());
        using var answer = await server.Client.SendAsync(new HttpRequestMessage(new HttpMethod(method), path));
        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Equal(body, await answer.Content.ReadAsStringAsync());
        Assert.Equal("application/json", answer.Content.Headers.ContentType?.ToString());
    }

    [Theory]
    [InlineData("/inference_zero_shot", "False")]
    [InlineData("/inference_zero_shot/", "False")]
    [InlineData("/inference_zero_shot", "True")]
    [InlineData("/inference_zero_shot/", "True")]
    public async Task Audio_is_bare_samples_cut_towards_zero_in_chunks_without_a_type(string path, string stream)
    {
        var pipeline = new StubPipeline { Speak = (_, _) => StubPipeline.Chunks([0.5f, -0.25f, 0.00009f, -0.00009f], [0.99f, -0.99f]) };
        await using var server = await TestServer.StartAsync(pipeline);
        var raw = await server.RawAsync(TestServer.RawPost(TestServer.Form(more: ("stream", stream)), path));
        var (head, body) = (raw[..raw.IndexOf("\r\n\r\n", StringComparison.Ordinal)], raw[(raw.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..]);
        Assert.StartsWith("HTTP/1.1 200 OK\r\n", head, StringComparison.Ordinal);
        Assert.Contains("\r\nTransfer-Encoding: chunked", head, StringComparison.Ordinal);
        Assert.DoesNotContain("Content-Type", head, StringComparison.OrdinalIgnoreCase);
        short[][] samples = [[16384, -8192, 2, -2], [32440, -32440]];
        var expected = string.Concat(samples.Select(chunk =>
            $"{chunk.Length * 2:x}\r\n{Encoding.Latin1.GetString([.. chunk.SelectMany(BitConverter.GetBytes)])}\r\n")) + "0\r\n\r\n";
        Assert.Equal(expected, body, ignoreCase: true);
    }

    public static TheoryData<string, string> Invalid => new()
    {
        { "", Faults(Missing("tts_text"), Missing("prompt_text"), Missing("prompt_wav")) },
        { "tts_text=,prompt_text=x,file", Faults(Missing("tts_text")) },
        { "tts_text=x,prompt_text=,file", Faults(Missing("prompt_text")) },
        { "tts_text=x,prompt_text=x,prompt_wav=abc",
        Faults(Fault("value_error", "prompt_wav", "Value error, Expected UploadFile, received: <class 'str'>", "abc")) },
        { "tts_text=x,prompt_text=x,file,stream=maybe",
        Faults(Fault("bool_parsing", "stream", "Input should be a valid boolean, unable to interpret input", "maybe")) },
        { "tts_text=x,prompt_text=x,file,speed=fast",
        Faults(Fault("float_parsing", "speed", "Input should be a valid number, unable to parse string as a number", "fast")) },
    };

    [Theory]
    [MemberData(nameof(Invalid))]
    public async Task Forms_that_are_not_valid_are_told_so(string fields, string body)
    {
        await using var server = await TestServer.StartAsync(new StubPipeline());
        using var form = new MultipartFormDataContent { { new StringContent("x"), "other" } };
        foreach (var field in fields.Split(',', StringSplitOptions.RemoveEmptyEntries))
            if (field == "file")
                form.Add(new ByteArrayContent(TestServer.Voice()), "prompt_wav", "a.wav");
            else
                form.Add(new StringContent(field.Split('=')[1]), field.Split('=')[0]);
        using var answer = await server.ZeroShotAsync(form);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, answer.StatusCode);
        Assert.Equal(body, await answer.Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData("True", true)]
    [InlineData("1", true)]
    [InlineData("on", true)]
    [InlineData("YES", true)]
    [InlineData("t", true)]
    [InlineData("y", true)]
    [InlineData("False", false)]
    [InlineData("0", false)]
    [InlineData("off", false)]
    [InlineData("No", false)]
    [InlineData("f", false)]
    [InlineData("n", false)]
    [InlineData("", false)]
    public async Task Booleans_are_spelt_in_many_ways(string value, bool streams)
    {
        var pipeline = new StubPipeline();
        await using var server = await TestServer.StartAsync(pipeline);
        using var answer = await server.ZeroShotAsync(TestServer.Form(more: ("stream", value)));
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal(streams ? AudioDelivery.Streaming : AudioDelivery.Whole, pipeline.Requests[^1].Delivery);
    }

    [Theory]
    [InlineData("stream=true;speed=1.5", 400, """{"message":"speed change only support non-stream inference mode"}""")]
    [InlineData("wav=junk", 400, """{"message":"audio file format is incorrect"}""")]
    [InlineData("wav=", 400, """{"message":"audio file format is incorrect"}""")]
    [InlineData("tts_model_name=nobody", 417, """{"message":"There is no such model. The models are: cosyvoice."}""")]
    public async Task Requests_that_cannot_be_served_are_told_so(string fields, int status, string body)
    {
        await using var server = await TestServer.StartAsync(new StubPipeline());
        var pairs = fields.Split(';').Select(field => field.Split('=')).ToDictionary(pair => pair[0], pair => pair[1]);
        var wav = pairs.Remove("wav", out var junk) ? Encoding.UTF8.GetBytes(junk) : null;
        using var answer = await server.ZeroShotAsync(TestServer.Form(wav: wav, more: [.. pairs.Select(pair => (pair.Key, pair.Value))]));
        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Equal(body, await answer.Content.ReadAsStringAsync());
        await server.AssertServesAsync();
    }

    [Theory]
    [InlineData("false")]
    [InlineData("true")]
    public async Task Punctuation_alone_is_an_empty_success(string stream)
    {
        await using var server = await TestServer.StartAsync(new StubPipeline());
        using var answer = await server.ZeroShotAsync(TestServer.Form("?!...", more: ("stream", stream)));
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Empty(await answer.Content.ReadAsByteArrayAsync());
    }

    [Fact]
    public async Task A_failure_in_synthesis_is_417_when_whole_and_a_broken_body_when_streamed()
    {
        static async IAsyncEnumerable<float[]> Break()
        {
            yield return [0.5f];
            await Task.Yield();
            throw new TtsSynthesisException("at /secret/place");
        }
        await using var server = await TestServer.StartAsync(new StubPipeline { Speak = (_, _) => Break() });
        using var whole = await server.ZeroShotAsync(TestServer.Form());
        Assert.Equal(417, (int)whole.StatusCode);
        Assert.Equal("""{"message":"The engine failed on this request; other requests are not affected."}""",
            await whole.Content.ReadAsStringAsync());
        var raw = await server.RawAsync(TestServer.RawPost(TestServer.Form(more: ("stream", "true"))));
        Assert.StartsWith("HTTP/1.1 200 OK", raw, StringComparison.Ordinal);
        Assert.DoesNotContain("\r\n0\r\n\r\n", raw, StringComparison.Ordinal); // the body has no end
        Assert.Equal(0, server.Admission.Active);
    }

    [Theory]
    [InlineData("You are a helpful assistant.<|endofprompt|>What it says.", "What it says.", null)]
    [InlineData("What it says.", "What it says.", null)]
    [InlineData("You are a helpful assistant. Speak softly.<|endofprompt|>What it says.", "What it says.", "Speak softly.")]
    [InlineData("You are a helpful assistant.<|endofprompt|>", null, null)]
    public async Task The_prompt_text_is_transcript_and_instruction(string prompt, string? transcript, string? instruction)
    {
        var pipeline = new StubPipeline();
        await using var server = await TestServer.StartAsync(pipeline);
        using var answer = await server.ZeroShotAsync(TestServer.Form(prompt: prompt));
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal(transcript, pipeline.Requests[^1].Timbre?.Transcript);
        Assert.Equal(instruction, pipeline.Requests[^1].Instruction);
    }

    [Fact]
    public async Task Headers_of_a_stream_leave_before_its_audio()
    {
        var gate = new TaskCompletionSource();
        async IAsyncEnumerable<float[]> Later()
        {
            await gate.Task;
            yield return [0.5f];
        }
        await using var server = await TestServer.StartAsync(new StubPipeline { Speak = (_, _) => Later() });
        using var request = new HttpRequestMessage(HttpMethod.Post, "/inference_zero_shot") { Content = TestServer.Form(more: ("stream", "true")) };
        using var answer = await server.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        gate.SetResult();
        Assert.Equal(2, (await answer.Content.ReadAsByteArrayAsync()).Length);
    }

    [Fact]
    public async Task Metrics_have_the_seeds_names_and_move()
    {
        await using var server = await TestServer.StartAsync(new StubPipeline());
        using var good = await server.ZeroShotAsync(TestServer.Form());
        using var bad = await server.ZeroShotAsync(TestServer.Form(wav: [1, 2, 3]));
        var metrics = await server.Client.GetStringAsync("/metrics");
        Assert.Contains("\nlightllm_request_count_total 2\n", metrics, StringComparison.Ordinal);
        Assert.Contains("\nlightllm_request_success_total 1\n", metrics, StringComparison.Ordinal);
        Assert.Contains("\nlightllm_request_failure_total 1\n", metrics, StringComparison.Ordinal);
        Assert.Contains("\nlightllm_request_latency_count{route=\"/inference_zero_shot\"} 2\n", metrics, StringComparison.Ordinal);
        Assert.Contains("\nprocess_resident_memory_bytes ", metrics, StringComparison.Ordinal);
        foreach (var line in metrics.Split('\n', StringSplitOptions.RemoveEmptyEntries))
            Assert.Matches(@"^(# (HELP|TYPE) \w+ .*|\w+(\{[^}]*\})? -?[\d.eE+-]+)$", line);
    }

    private static string Faults(params string[] faults) => $"{{\"detail\":[{string.Join(",", faults)}]}}";

    private static string Missing(string field) =>
        $"{{\"type\":\"missing\",\"loc\":[\"body\",\"{field}\"],\"msg\":\"Field required\",\"input\":null}}";

    private static string Fault(string type, string field, string message, string input) =>
        $"{{\"type\":\"{type}\",\"loc\":[\"body\",\"{field}\"],\"msg\":\"{message}\",\"input\":\"{input}\"}}";
}
