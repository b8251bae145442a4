using LightTts.Tests.Support;

namespace LightTts.Tests;

/// <summary>Runs the tests, as xunit's own entry point does, or the part of a child process that a test asked for.</summary>
internal static class Program
{
    public static Task<int> Main(string[] args) =>
        ChildProcess.TryRunRole(out var exitCode) ? Task.FromResult(exitCode)
        : args.Any(arg => arg is "--server" or "--internal-msbuild-node")
            ? Xunit.MicrosoftTestingPlatform.TestPlatformTestFramework.RunAsync(args, SelfRegisteredExtensions.AddSelfRegisteredExtensions)
            : Xunit.Runner.InProc.SystemConsole.ConsoleRunner.Run(args);
}
