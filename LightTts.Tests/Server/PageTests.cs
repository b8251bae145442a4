using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using LightTts.Extensions.Formats;
using LightTts.Samples.Server.Web;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace LightTts.Tests.Server;

/// <summary>The pages and the document about the routes: served, whole in themselves, and true.</summary>
public partial class PageTests
{
    [Theory]
    [InlineData("/", "index.html")]
    [InlineData("/docs", "docs.html")]
    public async Task Pages_are_served_with_a_policy_that_lets_in_nothing_else(string route, string file)
    {
        await using var server = await TestServer.StartAsync(new StubPipeline());
        using var answer = await server.Client.GetAsync(route);
        Assert.Equal((HttpStatusCode.OK, "text/html"), (answer.StatusCode, answer.Content.Headers.ContentType!.MediaType));
        Assert.Equal(WebPages.Read(file), await answer.Content.ReadAsStringAsync());
        var policy = Assert.Single(answer.Headers.GetValues("Content-Security-Policy"));
        Assert.StartsWith("default-src 'none';", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
        Assert.Equal(2, policy.Split("'sha256-").Length - 1); // one script, one style sheet
    }

    [Theory]
    [InlineData("index.html")]
    [InlineData("docs.html")]
    public void Pages_fetch_nothing_from_elsewhere(string file)
    {
        var html = WebPages.Read(file);
        Assert.Empty(Elsewhere().Matches(html).Select(match => match.Value));
        Assert.DoesNotContain(" style=\"", html, StringComparison.Ordinal); // the policy would refuse them without a word
        Assert.DoesNotMatch(" on[a-z]+=\"", html);
    }

    [Fact]
    public async Task Pages_name_only_routes_that_exist()
    {
        await using var server = await TestServer.StartAsync(new StubPipeline());
        var routes = Mapped(server).Select(route => route.Path).ToHashSet();
        foreach (var file in new[] { "index.html", "docs.html" })
        {
            var named = RouteName().Matches(WebPages.Read(file)).Select(match => match.Groups[1].Value).Distinct().ToList();
            Assert.NotEmpty(named);
            Assert.Empty(named.Except(routes));
        }
    }

    [Fact]
    public async Task The_document_has_every_route_and_no_other()
    {
        await using var server = await TestServer.StartAsync(new StubPipeline(), "--Server:AdminPort=0");
        using var document = JsonDocument.Parse(await server.Client.GetStringAsync("/openapi.json"));
        var described = document.RootElement.GetProperty("paths").EnumerateObject().SelectMany(path => path.Value.EnumerateObject()
            .Where(operation => operation.Name is "get" or "post" or "delete" or "put").Select(operation =>
                (path.Name, operation.Name.ToUpperInvariant())));
        Assert.Equal(Mapped(server).Order(), described.Order());
    }

    [Fact]
    public async Task The_document_is_what_the_routes_do()
    {
        using var document = JsonDocument.Parse(WebPages.Read("openapi.json"));
        var root = document.RootElement;
        var operations = root.GetProperty("paths").EnumerateObject().SelectMany(path => path.Value.EnumerateObject()).Where(operation =>
            operation.Value.ValueKind == JsonValueKind.Object).Select(operation => operation.Value.GetProperty("operationId").GetString()).ToList();
        Assert.Equal(operations.Distinct(), operations);
        foreach (Match reference in Reference().Matches(WebPages.Read("openapi.json")))
            Assert.True(reference.Groups[1].Value.Split('/').Aggregate((JsonElement?)root, (at, step) =>
                at is { } element && element.TryGetProperty(step, out var next) ? next : null) is not null, reference.Value);

        var speech = root.GetProperty("components").GetProperty("schemas").GetProperty("Speech").GetProperty("properties");
        Assert.Equal(Enum.GetNames<AudioFormat>().Select(name => name.ToLowerInvariant()).Order(),
            speech.GetProperty("response_format").GetProperty("enum").EnumerateArray().Select(name => name.GetString()!).Order());
        await using var server = await TestServer.StartAsync(new StubPipeline());
        foreach (var field in speech.EnumerateObject().Where(field => field.Name != "voice"))
        {
            // A field that the route does not read is no mistake to it; one that it reads refuses what it is not.
            using var answer = await server.Client.PostAsync("/v1/audio/speech",
                new StringContent($$$"""{"input":"Hi.","{{{field.Name}}}":{}}""", null, "application/json"));
            Assert.True(answer.StatusCode == HttpStatusCode.BadRequest, field.Name);
        }
        var form = root.GetProperty("paths").GetProperty("/inference_zero_shot").GetProperty("post").GetProperty("requestBody")
            .GetProperty("content").GetProperty("multipart/form-data").GetProperty("schema");
        using var empty = await server.Client.PostAsync("/inference_zero_shot", new MultipartFormDataContent
        {
            { new StringContent("maybe"), "stream" }, { new StringContent("fast"), "speed" },
        });
        var faults = await empty.Content.ReadAsStringAsync();
        foreach (var field in form.GetProperty("properties").EnumerateObject().Where(field => field.Name != "tts_model_name"))
            Assert.Contains($"\"{field.Name}\"", faults, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_web_socket_shows_its_key_as_a_subprotocol()
    {
        await using var server = await TestServer.StartAsync(new StubPipeline(), "--Server:ApiKeys:0:Name=one",
            "--Server:ApiKeys:0:Key=a (secret) key, 16");
        using var socket = new System.Net.WebSockets.ClientWebSocket();
        socket.Options.AddSubProtocol("lighttts");
        socket.Options.AddSubProtocol("lighttts-key.a%20%28secret%29%20key%2C%2016");
        await socket.ConnectAsync(new Uri($"ws://127.0.0.1:{server.Port}/inference_zero_shot_bistream"), TestContext.Current.CancellationToken);
        Assert.Equal("lighttts", socket.SubProtocol); // the key does not come back
        using var other = new System.Net.WebSockets.ClientWebSocket();
        other.Options.AddSubProtocol("lighttts-key.wrong");
        await Assert.ThrowsAsync<System.Net.WebSockets.WebSocketException>(() =>
            other.ConnectAsync(new Uri($"ws://127.0.0.1:{server.Port}/inference_zero_shot_bistream"), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_language_reaches_the_pipeline()
    {
        var pipeline = new StubPipeline();
        await using var server = await TestServer.StartAsync(pipeline);
        using var answer = await server.Client.PostAsync("/v1/audio/speech", new StringContent("""{"input":"Hi.","language":"en-GB"}"""));
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("en-GB", pipeline.Requests[^1].Language);
    }

    private static IEnumerable<(string Path, string Method)> Mapped(TestServer server) =>
        server.App.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>().SelectMany(endpoint =>
            endpoint.Metadata.GetMetadata<HttpMethodMetadata>()!.HttpMethods.Where(method => method != "HEAD").Select(method =>
                (endpoint.RoutePattern.RawText!, method)));

    [GeneratedRegex("""(?:"|href=")(/[a-z_0-9/.]*)(?="[\s,;)>])""")]
    private static partial Regex RouteName();

    [GeneratedRegex("""(?:src|href|import)\s*[=(]\s*["'](?!/|data:)[^"']*|@import[^;]*|url\([^)]*\)|//[\w-]+\.[\w.-]+(?!\S*/svg)""")]
    private static partial Regex Elsewhere();

    [GeneratedRegex("\"#/([A-Za-z/]+)\"")]
    private static partial Regex Reference();
}
