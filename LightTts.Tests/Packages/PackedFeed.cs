using System.Xml.Linq;
using LightTts.Tests.Support;

namespace LightTts.Tests.Packages;

/// <summary>The packages, packed once for all tests that use them as a stranger would:
/// from a home folder of their own, outside the repository.</summary>
public sealed class PackedFeed : IAsyncLifetime
{
    /// <summary>A version that no package cache has seen.</summary>
    public string Version { get; } = $"0.1.{System.Environment.ProcessId}";

    public string Folder { get; } = Directory.CreateTempSubdirectory("lighttts-package-").FullName;

    /// <summary>Where the README packs to.</summary>
    public string Feed => Path.Combine(Folder, "lighttts-feed");

    /// <summary>New packages are unpacked in the folder; what the machine has already is only read.</summary>
    public Dictionary<string, string> Environment => new()
    {
        ["HOME"] = Folder,
        ["DOTNET_CLI_HOME"] = Folder,
        ["DOTNET_NOLOGO"] = "1",
        ["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1",
        ["NUGET_PACKAGES"] = Path.Combine(Folder, "packages"),
        ["NUGET_FALLBACK_PACKAGES"] = System.Environment.GetEnvironmentVariable("NUGET_PACKAGES")
            ?? Path.Combine(System.Environment.GetFolderPath(System.Environment.SpecialFolder.UserProfile), ".nuget", "packages"),
        ["CreateHardLinksForCopyFilesToOutputDirectoryIfPossible"] = "true",
        ["CreateHardLinksForCopyLocalIfPossible"] = "true",
    };

    public async ValueTask InitializeAsync()
    {
        if (!IsWanted || OperatingSystem.IsWindows())
            return;
        await ConsoleProcess.RunAsync(Repo.Root, null, "sh", Path.Combine(Repo.Root, "pack.sh"), "--tool", Feed, Version);
        // The repository's own sources stand in for those that a new nuget.config names.
        var sources = XDocument.Load(Path.Combine(Repo.Root, "nuget.config"));
        Directory.CreateDirectory(Path.Combine(Folder, ".nuget", "NuGet"));
        sources.Save(Path.Combine(Folder, ".nuget", "NuGet", "NuGet.Config"));
    }

    public ValueTask DisposeAsync()
    {
        Directory.Delete(Folder, recursive: true);
        return ValueTask.CompletedTask;
    }

    public static void Need()
    {
        Assert.SkipUnless(IsWanted, "takes a minute or two; set LIGHTTTS_PACKAGE_TEST=1 to run it");
        Assert.SkipWhen(OperatingSystem.IsWindows(), "pack.sh needs a POSIX shell");
    }

    private static bool IsWanted => System.Environment.GetEnvironmentVariable("LIGHTTTS_PACKAGE_TEST") == "1"
        || System.Environment.GetEnvironmentVariable("CI") is "true" or "1";
}
