namespace LightTts.Timbres.Durable;

/// <summary>Decides where named voices are kept.</summary>
internal static class DurableFolders
{
    /// <summary>Whether these options ask for a folder at all. A store that shares nothing keeps nothing, unless a folder is named.</summary>
    public static bool IsWanted(TimbreStoreOptions options) => options.Durable && (options.Shared || options.DurableFolder is not null);

    /// <summary>The folder: the one named, the one beside a segment that is named, or one
    /// in the user's data folder. Null where the system names none.</summary>
    public static string? Find(TimbreStoreOptions options)
    {
        if (options.DurableFolder is { } folder)
            return Path.GetFullPath(folder);
        if (options.SegmentPath is { } segment)
            return Path.GetFullPath(segment) + ".named";
        // XDG_DATA_HOME or ~/.local/share, ~/Library/Application Support, %LOCALAPPDATA%.
        var data = Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify);
        return Path.IsPathFullyQualified(data)
            ? Path.Combine(data, OperatingSystem.IsWindows() || OperatingSystem.IsMacOS() ? "LightTts" : "lighttts", "timbres") : null;
    }
}
