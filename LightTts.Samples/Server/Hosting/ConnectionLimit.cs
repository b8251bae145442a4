using System.Net;
using LightTts.Samples.Server.Requests;
using Microsoft.AspNetCore.Connections;

namespace LightTts.Samples.Server.Hosting;

/// <summary>Bounds the connections of one address, so that nobody can take them all by opening them and saying nothing.</summary>
internal sealed class ConnectionLimit(int limit)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, int> _open = [];

    public async Task RunAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        var address = AddressGroup.Of((connection.RemoteEndPoint as IPEndPoint)?.Address);
        if (!Enter(address))
        {
            connection.Abort(); // before it has said a word there is nothing to answer
            return;
        }
        try
        {
            await next(connection);
        }
        finally
        {
            Leave(address);
        }
    }

    private bool Enter(string address)
    {
        lock (_gate)
        {
            var open = _open.GetValueOrDefault(address);
            if (open >= limit)
                return false;
            _open[address] = open + 1;
            return true;
        }
    }

    private void Leave(string address)
    {
        lock (_gate)
            if (--_open[address] == 0)
                _open.Remove(address);
    }
}
