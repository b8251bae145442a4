using LightTts.Tests.Support;

namespace LightTts.Tests.Packages;

/// <summary>The speak command speaks to nobody, and writes where the README says and nowhere else.</summary>
[Trait("Category", "Package")]
public sealed class PrivacyTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("lighttts-privacy-").FullName;

    private string Home => Path.Combine(_folder, "home");

    private string Temp => Path.Combine(_folder, "tmp");

    [Fact]
    public async Task A_run_connects_to_nobody_and_leaves_files_in_the_documented_folders_only()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && OnPath("strace") is not null,
            "strace is not installed; what the process asks of the kernel cannot be seen");
        var speak = Path.Combine(Repo.Root, "LightTts.Samples", "Speak", "bin", new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name, "net10.0",
            "speak");
        Assert.SkipUnless(File.Exists(speak) || Environment.GetEnvironmentVariable("CI") is "true" or "1", "the speak sample is not built");
        Directory.CreateDirectory(Home);
        Directory.CreateDirectory(Temp);
        var spoken = Path.Combine(_folder, "spoken.wav");

        // The second run learns a voice, too.
        foreach (var arguments in (string[][])[["Hello there, how are you today?", "-o", spoken],
            ["Hello again.", "-o", Path.Combine(_folder, "cloned.wav"), "--prompt", spoken, "--prompt-text", "Hello there, how are you today?"]])
        {
            var calls = await SystemCalls.OfAsync(_folder, CleanEnvironment(), speak, arguments);
            Assert.Empty(calls.Network);
            Assert.DoesNotContain(calls.Changed, path => !IsDocumented(path));
        }
        Assert.True(File.Exists(Path.Combine(_folder, "cloned.wav")));
        Assert.DoesNotContain(Directory.EnumerateFiles(Home, "*", SearchOption.AllDirectories), path => !IsDocumented(path));
        Assert.Empty(Directory.EnumerateFileSystemEntries(Temp));
    }

    [Fact]
    public void What_a_trace_says_is_understood()
    {
        var calls = SystemCalls.Read(
        [
            "12 socket(AF_UNIX, SOCK_STREAM|SOCK_CLOEXEC, 0) = 11<socket:[1]>",
            "12 socket(AF_INET, SOCK_DGRAM|SOCK_CLOEXEC, IPPROTO_IP) = 12<socket:[2]>",
            "12 connect(12<socket:[2]>, {sa_family=AF_INET, sin_port=htons(53), sin_addr=inet_addr(\"127.0.0.1\")}, 16) = -1 ECONNREFUSED "
            + "(Connection refused)",
            "12 openat(AT_FDCWD</home/me/w>, \"/etc/passwd\", O_RDONLY|O_CLOEXEC) = 3</etc/passwd>",
            "12 openat(AT_FDCWD</home/me/w>, \"out.wav\", O_RDWR|O_CREAT|O_CLOEXEC, 0666) = 3</home/me/w/out.wav>",
            "12 openat(96</home/me/.cache>, \"id.tmp\", O_WRONLY|O_CREAT <unfinished ...>",
            "12 mkdir(\"/nowhere/x\", 0700) = -1 ENOENT (No such file or directory)",
            "12 rename(\"/a/b.part\", \"/a/b\") = 0",
        ], "/home/me/w");
        Assert.Equal(2, calls.Network.Count);
        Assert.Equal(["/home/me/w/out.wav", "/home/me/.cache/id.tmp", "/a/b.part", "/a/b"], calls.Changed);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>A new user's: nothing of the test run's settings.</summary>
    private Dictionary<string, string> CleanEnvironment()
    {
        var environment = new Dictionary<string, string> { ["HOME"] = Home, ["TMPDIR"] = Temp + "/",
            ["PATH"] = Environment.GetEnvironmentVariable("PATH")! };
        if (Environment.GetEnvironmentVariable("DOTNET_ROOT") is { } root)
            environment["DOTNET_ROOT"] = root;
        return environment;
    }

    private bool IsDocumented(string path)
    {
        var data = Path.Combine(Home, ".local", "share", "LightTts");
        var voices = Path.Combine(Home, ".local", "share", "lighttts");
        var shared = "/dev/shm/lighttts-";
        return path.StartsWith(data, StringComparison.Ordinal) || path.StartsWith(voices, StringComparison.Ordinal)
            || data.StartsWith(path + "/", StringComparison.Ordinal)
            || path.StartsWith(shared, StringComparison.Ordinal)
            || Path.GetDirectoryName(path) == _folder // the output and its part file
            // The .NET runtime's own: where debuggers find it, until the process ends.
            || path.StartsWith(Path.Combine(Temp, "dotnet-diagnostic-"), StringComparison.Ordinal)
            || path.StartsWith(Path.Combine(Temp, "clr-debug-pipe-"), StringComparison.Ordinal)
            || path is "/dev/null" or "/dev/tty" || path.StartsWith("/proc/self/", StringComparison.Ordinal);
    }

    private static string? OnPath(string program) => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
        .Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists);
}
