using System.Net;
using System.Net.Sockets;

namespace LightTts.Samples.Server.Requests;

/// <summary>Which addresses count as one client: an IPv4 address by itself, IPv6 addresses by
/// their first 64 bits, because whoever has one has 2^64 of them.</summary>
internal static class AddressGroup
{
    private const int PrefixBytes = 8;

    public static string Of(IPAddress? address)
    {
        if (address is null)
            return "unknown";
        if (address.IsIPv4MappedToIPv6)
            return address.MapToIPv4().ToString(); // IPv4 on a socket that listens to both
        if (address.AddressFamily != AddressFamily.InterNetworkV6 || IPAddress.IsLoopback(address))
            return address.ToString();
        var bytes = address.GetAddressBytes();
        bytes.AsSpan(PrefixBytes).Clear();
        return $"{new IPAddress(bytes)}/64";
    }
}
