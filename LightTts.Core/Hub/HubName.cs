namespace LightTts.Hub;

/// <summary>Names that become parts of paths: what a user typed, and what a hub says, which nobody has checked.</summary>
internal static class HubName
{
    private const int MaxLength = 1024;

    /// <summary>Whether this is a name as hubs give them: owner/name.</summary>
    public static bool IsRepository(string name) =>
        name.Length <= 200 && name.Split('/') is [var owner, var model] && IsPlain(owner) && IsPlain(model);

    /// <summary>Whether a revision can be the name of a file under refs: parts of harmless characters.</summary>
    public static bool IsRevision(string revision) => revision.Length is > 0 and <= 200 && revision.Split('/').All(IsPlain);

    public static bool IsCommit(string text) => text.Length is >= 40 and <= 64 && text.All(char.IsAsciiHexDigitLower);

    /// <summary>Whether a file's name stays inside the folder that it is put into, on every system.</summary>
    public static bool IsContained(string path) =>
        path.Length is > 0 and <= MaxLength && path.AsSpan().IndexOfAny("\\:*?\"<>|") < 0 && !path.Any(char.IsControl)
        && path.Split('/').All(part => part.Length > 0 && part != "." && part != ".." && part[^1] is not (' ' or '.') && !IsDevice(part));

    private static bool IsPlain(string part) =>
        part.Length > 0 && part[0] is not ('.' or '-') && part.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-')
        && !part.Contains("..", StringComparison.Ordinal) && !part.Contains("--", StringComparison.Ordinal) && part[^1] is not ('.' or '-');

    // Windows opens these in every folder, whatever follows the dot.
    private static bool IsDevice(string part)
    {
        var name = part.Split('.')[0].TrimEnd().ToUpperInvariant();
        return name is "CON" or "PRN" or "AUX" or "NUL"
            || (name.Length == 4 && (name.StartsWith("COM", StringComparison.Ordinal) || name.StartsWith("LPT", StringComparison.Ordinal))
                && char.IsAsciiDigit(name[3]));
    }
}
