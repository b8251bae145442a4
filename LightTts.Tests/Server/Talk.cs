using System.Net.WebSockets;
using System.Text;

namespace LightTts.Tests.Server;

/// <summary>A client of the bi-stream route.</summary>
internal sealed class Talk : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private Talk(ClientWebSocket socket) => Socket = socket;

    public ClientWebSocket Socket { get; }

    public static Task<Talk> ConnectAsync(TestServer server) => ConnectAsync(server.Port);

    public static async Task<Talk> ConnectAsync(int port)
    {
        var socket = new ClientWebSocket();
        socket.Options.KeepAliveInterval = TimeSpan.Zero;
        using var patience = new CancellationTokenSource(Patience);
        await socket.ConnectAsync(new Uri($"ws://127.0.0.1:{port}/inference_zero_shot_bistream"), patience.Token);
        return new Talk(socket);
    }

    /// <summary>Connects, and sends what comes before the text.</summary>
    public static async Task<Talk> BeginAsync(TestServer server, string opening = """{"prompt_text":"What it says."}""", byte[]? wav = null)
    {
        var talk = await ConnectAsync(server);
        await talk.SendAsync(opening);
        await talk.SendAsync(wav ?? TestServer.Voice());
        return talk;
    }

    public Task SendAsync(string text) => Socket.SendAsync(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text, true, CancellationToken.None);

    public Task SendAsync(byte[] bytes) => Socket.SendAsync(bytes, WebSocketMessageType.Binary, true, CancellationToken.None);

    /// <summary>Reads until the server closes.</summary>
    public async Task<(byte[] Audio, List<string> Text, WebSocketCloseStatus? Status, string? Reason)> ReadAsync()
    {
        using var patience = new CancellationTokenSource(Patience);
        using var audio = new MemoryStream();
        List<string> text = [];
        var buffer = new byte[64 * 1024];
        while (true)
        {
            var frame = await Socket.ReceiveAsync(buffer.AsMemory(), patience.Token);
            if (frame.MessageType == WebSocketMessageType.Binary)
                audio.Write(buffer, 0, frame.Count);
            else if (frame.MessageType == WebSocketMessageType.Text)
                text.Add(Encoding.UTF8.GetString(buffer, 0, frame.Count));
            else
                break;
        }
        await Socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, "", patience.Token);
        return (audio.ToArray(), text, Socket.CloseStatus, Socket.CloseStatusDescription);
    }

    public void Dispose() => Socket.Dispose();
}
