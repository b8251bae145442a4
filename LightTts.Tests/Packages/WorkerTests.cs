using System.Globalization;
using LightTts.Tests.Support;

namespace LightTts.Tests.Packages;

/// <summary>The Worker sample as a process of its own, with the embedded voice.</summary>
[Trait("Category", "Package")]
[Collection("Packages")]
public sealed class WorkerTests : IDisposable
{
    private readonly string _inbox = Directory.CreateTempSubdirectory("lighttts-inbox-").FullName;

    [Fact]
    public async Task Sigterm_in_mid_stream_lets_the_file_under_way_end()
    {
        Assert.SkipUnless(Environment.GetEnvironmentVariable("LIGHTTTS_PACKAGE_TEST") == "1"
            || Environment.GetEnvironmentVariable("CI") is "true" or "1",
            "builds and runs the Worker sample; set LIGHTTTS_PACKAGE_TEST=1 to run it");
        Assert.SkipWhen(OperatingSystem.IsWindows(), "there is no SIGTERM");
        var project = Path.Combine(Repo.Root, "LightTts.Samples", "Worker");
        var configuration = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;
        await ConsoleProcess.RunAsync(project, null, "dotnet", "build", "--nologo", "--verbosity", "quiet", "--configuration", configuration);
        var text = string.Join(' ', Enumerable.Range(1, 6).Select(i =>
            string.Create(CultureInfo.InvariantCulture, $"This is sentence number {i} of a story that takes a while to tell.")));
        await File.WriteAllTextAsync(Path.Combine(_inbox, "story.txt"), text);

        using var worker = new ConsoleProcess(_inbox, null, "dotnet", Path.Combine(project, "bin", configuration, "net10.0", "Worker.dll"),
            "--Inbox:Folder=" + _inbox,
            "--LightTts:DrainTimeout=00:04:00", "--shutdownTimeoutSeconds=300"); // a busy machine may need longer than the defaults give
        await worker.SeesAsync("Speaking ");
        await worker.SeesAsync($"{text.Length} characters"); // the request is in the pipeline
        Assert.False(File.Exists(Path.Combine(_inbox, "story.wav")));
        await ConsoleProcess.RunAsync(_inbox, null, "kill", "-TERM", worker.Id.ToString(CultureInfo.InvariantCulture));

        Assert.Equal(0, await worker.ExitAsync());
        Assert.Contains("Stopping lighttts-tiny-en: 1 requests", worker.Output);
        Assert.Contains("all requests are done", worker.Output);
        await using var stream = File.OpenRead(Path.Combine(_inbox, "story.wav"));
        Assert.InRange(AudioClip.FromWav(stream, TimeSpan.FromMinutes(5)).Duration.TotalSeconds, 6, 120);
        Assert.False(File.Exists(Path.Combine(_inbox, "story.txt")) || File.Exists(Path.Combine(_inbox, "story.speaking")));
    }

    public void Dispose() => Directory.Delete(_inbox, recursive: true);
}
