using System.Net.Sockets;
using System.Text;
using LightTts.Extensions.Hosting;
using LightTts.Samples.Server;
using LightTts.Samples.Server.Requests;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;

namespace LightTts.Tests.Server;

/// <summary>The server on a port of its own, over real sockets.</summary>
internal sealed class TestServer : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private TestServer(WebApplication app, FakeLogCollector logs)
    {
        App = app;
        Logs = logs;
        Addresses = [.. app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Select(address =>
            new Uri(address))];
        Client = new HttpClient { BaseAddress = Addresses[0], Timeout = TimeSpan.FromSeconds(30) };
    }

    public WebApplication App { get; }

    public FakeLogCollector Logs { get; }

    public IReadOnlyList<Uri> Addresses { get; }

    public HttpClient Client { get; }

    public int Port => Addresses[0].Port;

    public Admission Admission => App.Services.GetRequiredService<Admission>();

    public static async Task<TestServer> StartAsync(IPipelineLoader loader, params string[] args)
    {
        var logs = new FakeLogCollector();
        var app = ServerApp.Create(["--Server:Port=0", "--LightTts:WarmUp=Blocking", .. args], builder =>
        {
            builder.Services.AddSingleton(loader);
            builder.Logging.ClearProviders().AddProvider(new FakeLoggerProvider(logs));
        });
        await app.StartAsync();
        return new TestServer(app, logs);
    }

    /// <summary>The form that the seed system's clients send.</summary>
    public static MultipartFormDataContent Form(string text = "Hello world.", string prompt = "What it says.", byte[]? wav = null,
        params (string Name, string Value)[] more)
    {
        var form = new MultipartFormDataContent { { new StringContent(text), "tts_text" }, { new StringContent(prompt), "prompt_text" } };
        var file = new ByteArrayContent(wav ?? Voice());
        file.Headers.TryAddWithoutValidation("Content-Type", "audio/wav");
        form.Add(file, "prompt_wav", "sample.wav");
        foreach (var (name, value) in more)
            form.Add(new StringContent(value), name);
        return form;
    }

    /// <summary>A second of something that can be learnt from.</summary>
    public static byte[] Voice(double seconds = 1, int rate = 24_000) =>
        new AudioClip(Enumerable.Range(0, (int)(seconds * rate)).Select(i => 0.3f * MathF.Sin(i * 0.05f)).ToArray(), rate).ToWav();

    public Task<HttpResponseMessage> ZeroShotAsync(MultipartFormDataContent form, string path = "/inference_zero_shot") =>
        Client.PostAsync(path, form);

    public async Task<TcpClient> ConnectAsync()
    {
        var client = new TcpClient();
        await client.ConnectAsync("127.0.0.1", Port);
        return client;
    }

    /// <summary>Sends bytes on a connection of their own and reads until the server closes it.</summary>
    public async Task<string> RawAsync(string request)
    {
        using var client = await ConnectAsync();
        await client.GetStream().WriteAsync(Encoding.Latin1.GetBytes(request));
        return await ReadToEndAsync(client);
    }

    public static async Task<string> ReadToEndAsync(TcpClient client)
    {
        using var patience = new CancellationTokenSource(Patience);
        var text = new StringBuilder();
        var buffer = new byte[4096];
        try
        {
            while (await client.GetStream().ReadAsync(buffer, patience.Token) is var count and > 0)
                text.Append(Encoding.Latin1.GetString(buffer, 0, count));
        }
        catch (Exception e) when (e is IOException or InvalidOperationException)
        {
            // A reset is an end, too.
        }
        return text.ToString();
    }

    /// <summary>The bytes of a POST as the seed system's clients send it.</summary>
    public static string RawPost(MultipartFormDataContent form, string path = "/inference_zero_shot", bool close = true)
    {
        var body = form.ReadAsByteArrayAsync().Result;
        return $"POST {path} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: python-requests/2.28.1\r\nAccept-Encoding: gzip, deflate\r\nAccept: */*\r\n"
            + $"Connection: {(close ? "close" : "keep-alive")}\r\nContent-Length: {body.Length}\r\nContent-Type: {form.Headers.ContentType}\r\n\r\n"
            + Encoding.Latin1.GetString(body);
    }

    /// <summary>Nothing is left in, and the next request is served.</summary>
    public async Task AssertServesAsync()
    {
        await Admission.WhenIdle().WaitAsync(Patience);
        using var answer = await ZeroShotAsync(Form());
        Assert.Equal(System.Net.HttpStatusCode.OK, answer.StatusCode);
        Assert.NotEmpty(await answer.Content.ReadAsByteArrayAsync());
        await Admission.WhenIdle().WaitAsync(Patience);
        Assert.Equal(0, Admission.Active);
        Assert.True(SpinWait.SpinUntil(() => Admission.Uploads == 0, Patience)); // a connection that was reset is noticed a moment later
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await App.StopAsync();
        await App.DisposeAsync();
    }
}
