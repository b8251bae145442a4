using System.Runtime.InteropServices;

namespace LightTts.Torch;

/// <summary>Where native libraries may lie: a configured folder, then what the host
/// resolved from packages, then the usual places beside the application.</summary>
internal sealed class NativeLibraryFolders(string? configured)
{
    private readonly string[] _folders = [.. Candidates(configured).Where(Directory.Exists).Distinct()];

    /// <summary>The full path of the first file of that library, or null. The name is the platform-independent one ("torch_cpu").</summary>
    public string? Find(string library) => _folders.Select(folder => Path.Combine(folder, FileName(library))).FirstOrDefault(File.Exists);

    /// <summary>The full paths of all files of that library, in the folders' order.</summary>
    public IEnumerable<string> FindAll(string library) => _folders.Select(folder => Path.Combine(folder, FileName(library))).Where(File.Exists);

    public override string ToString() => string.Join(", ", _folders);

    public static string FileName(string library) =>
        OperatingSystem.IsWindows() ? library + ".dll" : OperatingSystem.IsMacOS() ? $"lib{library}.dylib" : $"lib{library}.so";

    private static IEnumerable<string> Candidates(string? configured)
    {
        if (configured is not null)
            yield return configured;
        var host = AppContext.GetData("NATIVE_DLL_SEARCH_DIRECTORIES") as string ?? "";
        foreach (var folder in host.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries))
            yield return folder;
        yield return AppContext.BaseDirectory;
        yield return Path.Combine(AppContext.BaseDirectory, "runtimes", RuntimeInformation.RuntimeIdentifier, "native");
        yield return Path.Combine(AppContext.BaseDirectory, "runtimes", PortableRid(), "native");
    }

    private static string PortableRid()
    {
        var os = OperatingSystem.IsWindows() ? "win" : OperatingSystem.IsMacOS() ? "osx" : "linux";
        return $"{os}-{RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant()}";
    }
}
