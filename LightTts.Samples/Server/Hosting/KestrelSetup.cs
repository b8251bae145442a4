using System.Net;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace LightTts.Samples.Server.Hosting;

/// <summary>Where Kestrel listens and how long it bears with a client.</summary>
internal static class KestrelSetup
{
    private const int MaxHeaderBytes = 32 * 1024;

    public static void Configure(KestrelServerOptions kestrel, ServerOptions options)
    {
        kestrel.AddServerHeader = false;
        var limits = kestrel.Limits;
        limits.MaxConcurrentConnections = options.MaxConnections;
        limits.MaxConcurrentUpgradedConnections = options.MaxConnections;
        limits.MaxRequestBodySize = options.MaxUploadBytes;
        limits.MaxRequestHeadersTotalSize = MaxHeaderBytes;
        limits.RequestHeadersTimeout = options.HeadersTimeout;
        limits.KeepAliveTimeout = options.KeepAliveTimeout;
        limits.MinRequestBodyDataRate = new MinDataRate(options.MinDataRate, options.MinDataRateGrace);
        limits.MinResponseDataRate = new MinDataRate(options.MinDataRate, options.MinDataRateGrace);
        var connections = new ConnectionLimit(options.ConnectionLimit);
        Listen(kestrel, options, listen => listen.Use(next => connection => connections.RunAsync(connection, next)));
        if (options.AdminPort is { } admin)
            kestrel.Listen(IPAddress.Loopback, admin);
    }

    private static void Listen(KestrelServerOptions kestrel, ServerOptions options, Action<ListenOptions> configure)
    {
        switch (options.Host)
        {
            case "localhost" when options.Port == 0:
                kestrel.Listen(IPAddress.Loopback, 0, configure); // a free port can be chosen for one address only
                break;
            case "localhost":
                kestrel.ListenLocalhost(options.Port, configure);
                break;
            case "*" or "+" or "0.0.0.0" or "::":
                kestrel.ListenAnyIP(options.Port, configure);
                break;
            default:
                var address = IPAddress.TryParse(options.Host, out var known) ? known
                    : throw new ArgumentException($"Server:Host is '{options.Host}'; use localhost, 0.0.0.0, or an address.");
                kestrel.Listen(address, options.Port, configure);
                break;
        }
    }
}
