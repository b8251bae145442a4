using System.Net;
using LightTts.Tests.Extensions.Fakes;
using Microsoft.Extensions.DependencyInjection;

namespace LightTts.Tests.Server;

/// <summary>Loading, hanging, stopping.</summary>
public class LifeTests
{
    [Fact]
    public async Task While_the_model_loads_everything_says_so()
    {
        var loader = new FakeLoader(held: true);
        await using var server = await TestServer.StartAsync(loader, "--LightTts:WarmUp=Background");
        using (var answer = await server.ZeroShotAsync(TestServer.Form()))
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
            Assert.Equal(TimeSpan.FromSeconds(5), answer.Headers.RetryAfter!.Delta);
            Assert.Equal("""{"message":"The model is still loading."}""", await answer.Content.ReadAsStringAsync());
        }
        await Expect(server, "/health", 404, """{"message":"Error"}""");
        await Expect(server, "/readiness", 503, """{"status":"loading"}""");
        await Expect(server, "/liveness", 200, """{"status":"ok"}""");
        loader.Release();
        await server.App.Services.GetRequiredService<LightTts.Extensions.ITtsPipelineHost>().WaitUntilReadyAsync();
        await Expect(server, "/readiness", 200, """{"status":"ok"}""");
        await server.AssertServesAsync();
    }

    [Fact]
    public async Task A_model_that_cannot_be_loaded_is_no_secret_but_its_path_is()
    {
        await using var server = await TestServer.StartAsync(new FakeLoader { Error = new TtsModelLoadException("/secret/place is broken") },
            "--LightTts:WarmUp=Background");
        await Assert.ThrowsAsync<TtsModelLoadException>(() =>
            server.App.Services.GetRequiredService<LightTts.Extensions.ITtsPipelineHost>().WaitUntilReadyAsync());
        using var answer = await server.ZeroShotAsync(TestServer.Form());
        Assert.Equal("""{"message":"The model could not be loaded; the server's log says why."}""", await answer.Content.ReadAsStringAsync());
        await Expect(server, "/readiness", 503, """{"status":"error"}""");
    }

    [Fact]
    public async Task A_stage_that_hangs_fails_liveness_at_once()
    {
        var loader = new FakeLoader();
        await using var server = await TestServer.StartAsync(loader);
        loader.Pipeline.Disguise = status =>
            status with { Stages = [.. status.Stages.Select(stage => stage with { BusyFor = TimeSpan.FromSeconds(30) })] };
        await Expect(server, "/liveness", 503, """{"status":"error"}""");
        await Expect(server, "/health", 404, """{"message":"Error"}""");
        loader.Pipeline.Disguise = status => status;
        await Expect(server, "/liveness", 200, """{"status":"ok"}""");
    }

    [Fact]
    public async Task A_stop_in_mid_stream_loses_no_byte_and_refuses_what_is_new()
    {
        var gate = new TaskCompletionSource();
        var pipeline = new StubPipeline { Speak = (_, token) => StubPipeline.Held(gate.Task, token) };
        var server = await TestServer.StartAsync(pipeline, "--Server:MaxRequestsPerClient=32");
        var streams = Enumerable.Range(0, 31).Select(_ => server.ZeroShotAsync(TestServer.Form(more: ("stream", "true")))).ToList();
        using var talk = await Talk.BeginAsync(server);
        await talk.SendAsync("""{"tts_text":"Hi."}""");
        await talk.SendAsync("""{"finish":true}""");
        Assert.True(SpinWait.SpinUntil(() => pipeline.Active == 32, 10_000));
        using var idle = await Talk.ConnectAsync(server);
        var stop = server.App.StopAsync();
        await Expect(server, "/readiness", 503, """{"status":"stopping"}""");
        using (var late = await server.ZeroShotAsync(TestServer.Form()))
            Assert.Equal("""{"message":"The server is stopping."}""", await late.Content.ReadAsStringAsync());
        Assert.Equal(System.Net.WebSockets.WebSocketCloseStatus.EndpointUnavailable, (await idle.ReadAsync()).Status);
        Assert.False(stop.IsCompleted);
        gate.SetResult();
        foreach (var answer in await Task.WhenAll(streams))
            Assert.Equal([0, 64, 0, 32], await answer.Content.ReadAsByteArrayAsync());
        Assert.Equal([0, 64, 0, 32], (await talk.ReadAsync()).Audio);
        await stop.WaitAsync(TimeSpan.FromSeconds(10));
        await server.DisposeAsync();
    }

    [Fact]
    public async Task The_admin_routes_are_on_their_own_port()
    {
        await using var server = await TestServer.StartAsync(new FakeLoader(), "--Server:AdminPort=0");
        Assert.Equal(2, server.Addresses.Count);
        using var admin = new HttpClient { BaseAddress = server.Addresses[1] };
        Assert.Contains("\"state\":\"Ready\"", await admin.GetStringAsync("/admin/status"), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotFound, (await admin.GetAsync("/health")).StatusCode);
        await Expect(server, "/admin/status", 404, """{"detail":"Not Found"}""");
        Assert.Equal(HttpStatusCode.NotFound, (await server.Client.PostAsync("/admin/stop", null)).StatusCode);
        await server.AssertServesAsync();
    }

    [Fact]
    public async Task The_log_has_one_line_a_request_with_its_id_and_without_its_text()
    {
        await using var server = await TestServer.StartAsync(new StubPipeline());
        server.Logs.Clear();
        using var request = new HttpRequestMessage(HttpMethod.Post,
            "/inference_zero_shot") { Content = TestServer.Form("The secret plan.", "A secret prompt.") };
        request.Headers.Add("X-Request-Id", "my-id-7");
        using var answer = await server.Client.SendAsync(request);
        Assert.Equal("my-id-7", Assert.Single(answer.Headers.GetValues("X-Request-Id")));
        await server.Admission.WhenIdle();
        Assert.True(SpinWait.SpinUntil(() => server.Logs.Count > 0, 2000));
        var line = Assert.Single(server.Logs.GetSnapshot(), record => record.Category == "LightTts.Server");
        Assert.Contains("my-id-7", line.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(server.Logs.GetSnapshot(), record => record.Message.Contains("secret", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Other_origins_are_let_in_only_by_name()
    {
        await using var closed = await TestServer.StartAsync(new StubPipeline());
        await using var open = await TestServer.StartAsync(new StubPipeline(), "--Server:CorsOrigins:0=https://good.example");
        async Task<string?> Allowed(TestServer server, string origin)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/models");
            request.Headers.Add("Origin", origin);
            using var answer = await server.Client.SendAsync(request);
            return answer.Headers.TryGetValues("Access-Control-Allow-Origin", out var values) ? values.Single() : null;
        }
        Assert.Null(await Allowed(closed, "https://good.example"));
        Assert.Equal("https://good.example", await Allowed(open, "https://good.example"));
        Assert.Null(await Allowed(open, "https://bad.example"));
    }

    private static async Task Expect(TestServer server, string path, int status, string body)
    {
        using var answer = await server.Client.GetAsync(path);
        Assert.Equal((status, body), ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync()));
    }
}
