using System.Net;
using System.Net.Sockets;

namespace LightTts.Tests.Support;

/// <summary>An address of this machine where nobody listens.</summary>
internal static class ClosedPort
{
    public static string Address()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return $"http://{listener.LocalEndpoint}"; // closed when this returns, and not soon given to another
    }
}
