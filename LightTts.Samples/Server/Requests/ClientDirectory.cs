using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Threading.RateLimiting;

namespace LightTts.Samples.Server.Requests;

/// <summary>Knows the clients: by their keys where there are any, otherwise by their addresses.</summary>
internal sealed class ClientDirectory(ServerOptions options) : IDisposable
{
    /// <summary>The subprotocol that is agreed on where a client offers it; the key stands beside it, as "lighttts-key." and the key.</summary>
    public const string Protocol = "lighttts";

    private const string Scheme = "Bearer ";
    private const string KeyProtocol = Protocol + "-key.";
    private const int MaxAddresses = 4096;

    private readonly (byte[] Hash, Client Client)[] _keys = [.. options.ApiKeys.Select(key => (Hash(key.Key), Create(key, options)))];
    private readonly ConcurrentDictionary<string, Client> _addresses = new();

    /// <summary>Whether clients must show a key.</summary>
    public bool NeedsKey => _keys.Length > 0;

    /// <exception cref="RequestFailedException">There is no such key.</exception>
    public Client Identify(HttpContext context)
    {
        if (!NeedsKey)
            return ByAddress(AddressGroup.Of(context.Connection.RemoteIpAddress));
        if (KeyOf(context) is { } key)
        {
            var hash = Hash(key);
            foreach (var (known, client) in _keys)
                if (CryptographicOperations.FixedTimeEquals(known, hash))
                    return client;
        }
        throw new RequestFailedException(new Failure(StatusCodes.Status401Unauthorized, "invalid_api_key",
            "No valid API key: send it as 'Authorization: Bearer ...'."));
    }

    public void Dispose()
    {
        foreach (var (_, client) in _keys)
            client.Dispose();
    }

    /// <summary>The key that the request shows: in its header, or, for web sockets of pages, which cannot set any, as a subprotocol.</summary>
    private static string? KeyOf(HttpContext context)
    {
        var header = context.Request.Headers.Authorization.ToString();
        if (header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
            return header[Scheme.Length..].Trim();
        var offered = context.WebSockets.WebSocketRequestedProtocols;
        return offered.FirstOrDefault(name => name.StartsWith(KeyProtocol, StringComparison.Ordinal)) is { } shown
            ? Uri.UnescapeDataString(shown[KeyProtocol.Length..]) : null;
    }

    private Client ByAddress(string address)
    {
        if (_addresses.Count >= MaxAddresses)
            foreach (var (key, client) in _addresses)
                if (client.Active == 0)
                    _addresses.TryRemove(key, out _);
        return _addresses.GetOrAdd(address, name => new Client(name, "", options.ClientLimit, null));
    }

    private static Client Create(ApiKeyOptions key, ServerOptions options) =>
        new(key.Name, key.Name + ".", key.MaxConcurrentRequests ?? options.ClientLimit,
        key.RequestsPerMinute is not { } rate ? null : new TokenBucketRateLimiter(new TokenBucketRateLimiterOptions
        {
            TokenLimit = rate,
            TokensPerPeriod = rate,
            ReplenishmentPeriod = TimeSpan.FromMinutes(1),
            QueueLimit = 0,
        }));

    private static byte[] Hash(string key) => SHA256.HashData(Encoding.UTF8.GetBytes(key));
}
