using System.Diagnostics;
using LightTts.Tests.Packages;
using LightTts.Tests.Support;

namespace LightTts.Tests.Speak;

/// <summary>What a run of the command line said.</summary>
internal sealed record SpeakResult(int ExitCode, string Output, string Error);

/// <summary>The command line as a process of its own.</summary>
internal static class SpeakProcess
{
    private static readonly Lazy<Task<string>> s_built = new(BuildAsync);

    /// <summary>Runs speak with these arguments in a folder; standard input is at its end unless there is a text for it.</summary>
    public static async Task<SpeakResult> RunAsync(string folder, string[] arguments, string? input = "",
        IReadOnlyDictionary<string, string>? environment = null)
    {
        var file = await s_built.Value;
        return await StartAsync(folder, file, arguments, input, environment);
    }

    /// <summary>Runs a line of the shell, in which $speak is the executable.</summary>
    public static async Task<SpeakResult> ShellAsync(string folder, string line)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "a POSIX shell");
        var speak = await s_built.Value;
        return await StartAsync(folder, "bash", ["-c", line], "", new Dictionary<string, string> { ["speak"] = speak });
    }

    private static async Task<SpeakResult> StartAsync(string folder, string file, string[] arguments, string? input,
        IReadOnlyDictionary<string, string>? environment)
    {
        var start = new ProcessStartInfo(file, arguments) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true,
            RedirectStandardInput = true };
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
            start.Environment[name] = value;
        using var process = Process.Start(start)!;
        using var tooLong = new CancellationTokenSource(TimeSpan.FromMinutes(3));
        var output = process.StandardOutput.ReadToEndAsync(tooLong.Token);
        var error = process.StandardError.ReadToEndAsync(tooLong.Token);
        try
        {
            await process.StandardInput.WriteAsync(input);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It does not read its input.
        }
        try
        {
            var result = new SpeakResult(0, await output, await error);
            await process.WaitForExitAsync(tooLong.Token);
            return result with { ExitCode = process.ExitCode };
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
    }

    private static async Task<string> BuildAsync()
    {
        var project = Path.Combine(Repo.Root, "LightTts.Samples", "Speak");
        var configuration = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;
        await ConsoleProcess.RunAsync(project, null, "dotnet", "build", "--nologo", "--verbosity", "quiet", "--configuration", configuration);
        return Path.Combine(project, "bin", configuration, "net10.0", OperatingSystem.IsWindows() ? "speak.exe" : "speak");
    }
}
