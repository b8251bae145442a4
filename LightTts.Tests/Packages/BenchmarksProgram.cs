using LightTts.Tests.Support;

namespace LightTts.Tests.Packages;

/// <summary>The benchmarks, of the configuration that is tested.</summary>
internal static class BenchmarksProgram
{
    /// <returns>The program, for dotnet.</returns>
    public static async Task<string> BuildAsync()
    {
        var configuration = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;
        var project = Path.Combine(Repo.Root, "LightTts.Benchmarks");
        await ConsoleProcess.RunAsync(project, null, "dotnet", "build", "--nologo", "--verbosity", "quiet", "--configuration", configuration);
        return Path.Combine(project, "bin", configuration, "net10.0", "LightTts.Benchmarks.dll");
    }
}
