namespace LightTts.Hub;

/// <summary>A file of a model as the hub describes it.</summary>
/// <param name="Path">Its name, with forward slashes.</param>
/// <param name="Length">Bytes.</param>
/// <param name="Checksum">SHA-256 of its content (64 digits), or git's name of it (SHA-1, 40 digits), as the hub's own cache names its blobs.</param>
internal sealed record HubFile(string Path, long Length, string Checksum)
{
    public bool IsSha256 => Checksum.Length == 64;

    /// <summary>Whether this can be a checksum.</summary>
    public static bool IsChecksum(string? text) => text is { Length: 40 or 64 } && text.All(char.IsAsciiHexDigitLower);
}

/// <summary>A model at one commit.</summary>
/// <param name="Commit">40 to 64 hexadecimal digits.</param>
/// <param name="Files">All its files.</param>
internal sealed record HubListing(string Commit, IReadOnlyList<HubFile> Files);
