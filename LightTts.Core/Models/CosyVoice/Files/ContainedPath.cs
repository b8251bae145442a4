namespace LightTts.Models.CosyVoice.Files;

/// <summary>Resolves paths that a file inside a model directory names: they must stay inside it, through symbolic links as well.</summary>
internal static class ContainedPath
{
    private const int MaxLinks = 40;

    /// <param name="root">The model directory.</param>
    /// <param name="relative">A path with forward slashes, relative to it.</param>
    /// <param name="source">The file that names it, for messages.</param>
    /// <exception cref="TtsModelLoadException">The path is absolute, climbs out, or leads out through a symbolic link.</exception>
    public static string Resolve(string root, string relative, string source)
    {
        if (relative.Length is 0 or > 1024 || Path.IsPathRooted(relative) || relative.AsSpan().IndexOfAny(['\\', ':', '\0']) >= 0
            || relative.Split('/').Any(part => part is "" or "." or ".."))
            throw Bad(relative, source);
        var full = Path.Combine(root, Path.Combine(relative.Split('/')));
        try
        {
            var (realRoot, real) = (Real(root), Real(full));
            if (real is null || realRoot is null || !(IsIn(realRoot, real) || (BlobsOf(realRoot) is { } blobs && IsIn(blobs, real))))
                throw Bad(relative, source);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new TtsModelLoadException($"{source}: '{relative}' cannot be opened: {e.Message}", e);
        }
        return full;
    }

    /// <summary>A downloaded model's folder holds links to the content beside it (cache of the Hugging Face hub: snapshots/COMMIT, blobs).</summary>
    private static string? BlobsOf(string root) => Path.TrimEndingDirectorySeparator(root) is var folder
        && Path.GetDirectoryName(folder) is { } parent && Path.GetFileName(parent) == "snapshots" && Path.GetDirectoryName(parent) is { } model
        && Path.GetFileName(model).StartsWith("models--", StringComparison.Ordinal) ? Path.Combine(model, "blobs") : null;

    private static bool IsIn(string folder, string path) =>
        path.StartsWith(Path.TrimEndingDirectorySeparator(folder) + Path.DirectorySeparatorChar, StringComparison.Ordinal);

    /// <summary>The path with every symbolic link in it followed; null where they go round in circles.</summary>
    private static string? Real(string path)
    {
        for (var links = 0; links < MaxLinks; links++)
        {
            if (FirstLink(path) is not var (link, target, rest))
                return path;
            path = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(link)!, target, rest));
        }
        return null;
    }

    private static (string Link, string Target, string Tail)? FirstLink(string path)
    {
        var at = Path.GetPathRoot(path)!;
        foreach (var part in path[at.Length..].Split(Path.DirectorySeparatorChar, StringSplitOptions.RemoveEmptyEntries))
        {
            at = Path.Combine(at, part);
            if (new FileInfo(at).LinkTarget is { } target)
                return (at, target, path[at.Length..].TrimStart(Path.DirectorySeparatorChar));
        }
        return null;
    }

    private static TtsModelLoadException Bad(string relative, string source) =>
        new($"{source}: path '{(relative.Length > 200 ? relative[..200] : relative)}' is refused: it must be relative and stay inside the model "
        + $"directory.");
}
