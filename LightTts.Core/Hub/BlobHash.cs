using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace LightTts.Hub;

/// <summary>The checksum of a file that grows.</summary>
internal sealed class BlobHash : IDisposable
{
    private readonly HubFile _file;
    private readonly IncrementalHash _hash;

    public BlobHash(HubFile file)
    {
        _file = file;
#pragma warning disable CA5350 // git's names are SHA-1; hubs give nothing else for the small files that are not in LFS
        _hash = IncrementalHash.CreateHash(file.IsSha256 ? HashAlgorithmName.SHA256 : HashAlgorithmName.SHA1);
#pragma warning restore CA5350
        // What git puts before a blob's content.
        if (!file.IsSha256)
            _hash.AppendData(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"blob {file.Length}\0")));
    }

    /// <summary>Bytes so far.</summary>
    public long Length { get; private set; }

    public void Append(ReadOnlySpan<byte> bytes)
    {
        _hash.AppendData(bytes);
        Length += bytes.Length;
    }

    /// <summary>Whether it is the file's; ends the hash.</summary>
    public bool Matches() => Length == _file.Length && Convert.ToHexStringLower(_hash.GetHashAndReset()) == _file.Checksum;

    public void Dispose() => _hash.Dispose();
}
