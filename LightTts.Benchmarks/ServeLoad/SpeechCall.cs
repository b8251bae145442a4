using System.Diagnostics;
using System.Globalization;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;

namespace LightTts.Benchmarks.ServeLoad;

/// <summary>One request as the clients of LightTTS send it, timed from before its first byte.</summary>
/// <param name="server">The server's address.</param>
/// <param name="voice">The reference audio's file.</param>
/// <param name="transcript">What is said in it.</param>
/// <param name="key">An API key, or null.</param>
/// <param name="reuse">Whether connections are kept; LightTTS's own clients open one for each request.</param>
internal sealed class SpeechCall(Uri server, byte[] voice, string transcript, string? key, bool reuse) : ISpeechCall, IDisposable
{
    private const string Route = "/inference_zero_shot";
    private const string ProcessorMetric = "process_cpu_seconds_total ";
    private const int BytesPerSecond = 24_000 * sizeof(short);
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(10);

    private readonly HttpClient _client = new(new SocketsHttpHandler
    {
        MaxConnectionsPerServer = int.MaxValue,
        PooledConnectionLifetime = reuse ? Timeout.InfiniteTimeSpan : TimeSpan.Zero,
    })
    { Timeout = Limit };

    /// <summary>Speaks a text.</summary>
    /// <exception cref="Exception">Whatever went wrong on the way.</exception>
    public Task<CallResult> SpeakAsync(ServeMode mode, string text, CancellationToken cancellationToken) =>
        mode == ServeMode.BiStream ? TalkAsync(text, cancellationToken) : PostAsync(mode, text, cancellationToken);

    public async Task<double?> ProcessorSecondsAsync(CancellationToken cancellationToken)
    {
        try
        {
            using var request = Authorized(HttpMethod.Get, "/metrics");
            using var answer = await _client.SendAsync(request, cancellationToken);
            var metrics = await answer.Content.ReadAsStringAsync(cancellationToken);
            return metrics.Split('\n').FirstOrDefault(line => line.StartsWith(ProcessorMetric, StringComparison.Ordinal)) is { } line
                ? double.Parse(line.AsSpan(ProcessorMetric.Length), CultureInfo.InvariantCulture) : null;
        }
        catch (HttpRequestException)
        {
            return null; // what the requests themselves say of it counts
        }
    }

    public void Dispose() => _client.Dispose();

    private async Task<CallResult> PostAsync(ServeMode mode, string text, CancellationToken cancellationToken)
    {
        var watch = Stopwatch.StartNew();
        using var form = new MultipartFormDataContent
        {
            { new StringContent(text), "tts_text" },
            { new StringContent(transcript), "prompt_text" },
            { new StringContent(mode == ServeMode.Stream ? "True" : "False"), "stream" },
            { new ByteArrayContent(voice), "prompt_wav", "sample.wav" },
        };
        using var request = Authorized(HttpMethod.Post, Route);
        request.Content = form;
        using var answer = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        if (!answer.IsSuccessStatusCode)
            throw new HttpRequestException($"{(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync(cancellationToken)}");
        await using var body = await answer.Content.ReadAsStreamAsync(cancellationToken);
        var buffer = new byte[64 * 1024];
        var (bytes, first) = (0L, TimeSpan.Zero);
        while (await body.ReadAsync(buffer, cancellationToken) is var count and > 0)
        {
            if (bytes == 0)
                first = watch.Elapsed;
            bytes += count;
        }
        return Result(watch.Elapsed, first, bytes);
    }

    private HttpRequestMessage Authorized(HttpMethod method, string route)
    {
        var request = new HttpRequestMessage(method, new Uri(server, route));
        if (key is not null)
            request.Headers.Authorization = new("Bearer", key);
        return request;
    }

    /// <summary>The text goes out word by word, without a pause; the first audio counts from the first word.</summary>
    private async Task<CallResult> TalkAsync(string text, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Limit);
        var watch = Stopwatch.StartNew();
        using var socket = new ClientWebSocket();
        if (key is not null)
            socket.Options.SetRequestHeader("Authorization", $"Bearer {key}");
        await socket.ConnectAsync(new UriBuilder(new Uri(server, Route + "_bistream")) { Scheme = server.Scheme == "https" ? "wss" : "ws" }.Uri,
            limit.Token);
        await SendAsync(socket, "prompt_text", transcript, limit.Token);
        await socket.SendAsync(voice, WebSocketMessageType.Binary, true, limit.Token);
        var typing = TypeAsync(socket, text, limit.Token);
        var buffer = new byte[64 * 1024];
        var (bytes, first, error) = (0L, TimeSpan.Zero, "");
        while (await socket.ReceiveAsync(buffer.AsMemory(), limit.Token) is var frame && frame.MessageType != WebSocketMessageType.Close)
        {
            if (frame.MessageType == WebSocketMessageType.Text)
                error += Encoding.UTF8.GetString(buffer, 0, frame.Count);
            else if (frame.Count > 0)
            {
                if (bytes == 0)
                    first = watch.Elapsed;
                bytes += frame.Count;
            }
        }
        var total = watch.Elapsed;
        await typing;
        await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, limit.Token);
        return error.Length > 0 || socket.CloseStatus != WebSocketCloseStatus.NormalClosure
            ? throw new WebSocketException($"{(int?)socket.CloseStatus} {socket.CloseStatusDescription} {error}")
            : Result(total, first, bytes);
    }

    private static async Task TypeAsync(ClientWebSocket socket, string text, CancellationToken cancellationToken)
    {
        for (var at = 0; at < text.Length;)
        {
            var space = text.IndexOf(' ', at);
            var end = space < 0 ? text.Length : space + 1;
            await SendAsync(socket, "tts_text", text[at..end], cancellationToken);
            at = end;
        }
        await socket.SendAsync("""{"finish":true}"""u8.ToArray(), WebSocketMessageType.Text, true, cancellationToken);
    }

    private static Task SendAsync(ClientWebSocket socket, string field, string value, CancellationToken cancellationToken) =>
        socket.SendAsync(JsonSerializer.SerializeToUtf8Bytes(new Dictionary<string, string> { [field] = value }), WebSocketMessageType.Text, true,
            cancellationToken);

    private static CallResult Result(TimeSpan total, TimeSpan first, long bytes) => bytes == 0
        ? throw new InvalidDataException("the answer has no audio")
        : new CallResult(total.TotalSeconds, first.TotalSeconds, (double)bytes / BytesPerSecond);
}
