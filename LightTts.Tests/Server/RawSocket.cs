using System.Net.Sockets;
using System.Text;

namespace LightTts.Tests.Server;

/// <summary>A web socket whose frames a test makes itself, right ones and wrong ones.</summary>
internal sealed class RawSocket : IDisposable
{
    private const int MaxShort = 125;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private readonly TcpClient _client;

    private RawSocket(TcpClient client) => (_client, Stream) = (client, client.GetStream());

    public NetworkStream Stream { get; }

    public static async Task<RawSocket> ConnectAsync(TestServer server)
    {
        var client = await server.ConnectAsync();
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes("GET /inference_zero_shot_bistream HTTP/1.1\r\nHost: localhost\r\n"
            + "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"));
        var head = new StringBuilder();
        var one = new byte[1];
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            Assert.Equal(1, await client.GetStream().ReadAsync(one));
            head.Append((char)one[0]);
        }
        Assert.StartsWith("HTTP/1.1 101", head.ToString(), StringComparison.Ordinal);
        return new RawSocket(client);
    }

    /// <summary>A client's frame: masked, with a mask of zeros.</summary>
    public static byte[] Frame(int opcode, byte[] body, bool last = true)
    {
        var length = body.Length <= MaxShort ? new[] { (byte)(0x80 | body.Length) }
            : body.Length <= ushort.MaxValue ? [0x80 | 126, (byte)(body.Length >> 8), (byte)body.Length]
            : [0x80 | 127, 0, 0, 0, 0, (byte)(body.Length >> 24), (byte)(body.Length >> 16), (byte)(body.Length >> 8), (byte)body.Length];
        return [(byte)((last ? 0x80 : 0) | opcode), .. length, 0, 0, 0, 0, .. body];
    }

    public ValueTask SendAsync(int opcode, string text, bool last = true) => SendAsync(opcode, Encoding.UTF8.GetBytes(text), last);

    public ValueTask SendAsync(int opcode, byte[] body, bool last = true) => Stream.WriteAsync(Frame(opcode, body, last));

    /// <summary>Writes until the server ends the connection.</summary>
    /// <returns>Bytes that went out.</returns>
    public async Task<long> FloodAsync(byte[] bytes, TimeSpan patience)
    {
        using var limit = new CancellationTokenSource(patience);
        long sent = 0;
        try
        {
            while (true)
            {
                await Stream.WriteAsync(bytes, limit.Token);
                sent += bytes.Length;
            }
        }
        catch (IOException)
        {
            return sent;
        }
    }

    /// <summary>The close frame's code; null where the server just hangs up.</summary>
    public async Task<int?> CloseCodeAsync()
    {
        using var patience = new CancellationTokenSource(Patience);
        var head = new byte[4];
        try
        {
            while (true)
            {
                await Stream.ReadExactlyAsync(head.AsMemory(0, 2), patience.Token);
                var length = (int)head[1];
                if (length == MaxShort + 1)
                {
                    await Stream.ReadExactlyAsync(head.AsMemory(2, 2), patience.Token);
                    length = head[2] << 8 | head[3];
                }
                var body = new byte[length];
                await Stream.ReadExactlyAsync(body, patience.Token);
                if ((head[0] & 15) == 8)
                    return body[0] << 8 | body[1];
            }
        }
        catch (IOException)
        {
            return null;
        }
    }

    public void Dispose() => _client.Dispose();
}
