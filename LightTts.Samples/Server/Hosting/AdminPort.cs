using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace LightTts.Samples.Server.Hosting;

/// <summary>The admin routes' port, as it came out where any free one was asked for.</summary>
internal sealed class AdminPort(ServerOptions options, IServer server)
{
    private readonly Lazy<int?> _port = new(() => options.AdminPort is not 0 ? options.AdminPort
        : new Uri(server.Features.Get<IServerAddressesFeature>()!.Addresses.Last()).Port);

    public int? Value => _port.Value;
}
