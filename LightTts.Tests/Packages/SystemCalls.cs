using System.Text.RegularExpressions;

namespace LightTts.Tests.Packages;

/// <summary>What a process asked of the kernel, as strace -y writes it: whom it spoke to, and which files it made, changed or removed.</summary>
internal sealed partial class SystemCalls
{
    private SystemCalls(List<string> network, List<string> changed) => (Network, Changed) = (network, changed);

    /// <summary>Calls that reach, or try to reach, somebody outside the process, and sockets that could.</summary>
    public IReadOnlyList<string> Network { get; }

    /// <summary>Paths that were opened for writing, made, renamed, removed or changed, with success.</summary>
    public IReadOnlyList<string> Changed { get; }

    /// <summary>Runs a program under strace, in an environment of its own.</summary>
    /// <exception cref="Xunit.Sdk.XunitException">The program fails.</exception>
    public static async Task<SystemCalls> OfAsync(string folder, IReadOnlyDictionary<string, string> environment, string program,
        params string[] arguments)
    {
        var trace = Path.Combine(folder, "trace");
        await ConsoleProcess.RunAsync(folder, null, "env",
            ["-i", .. environment.Select(pair => $"{pair.Key}={pair.Value}"), "strace", "-f", "-qq", "-y", "-s", "300", "-e",
            "trace=%network,%file,ftruncate", "-o", trace, program, .. arguments]);
        return Read(await File.ReadAllLinesAsync(trace), folder);
    }

    public static SystemCalls Read(IEnumerable<string> lines, string folder)
    {
        List<string> network = [], changed = [];
        foreach (var line in lines)
        {
            if (Call().Match(line) is not { Success: true } call)
                continue;
            var (name, arguments) = (call.Groups["name"].Value, call.Groups["arguments"].Value);
            // Local sockets that are only listened on are the runtime's own door for debuggers.
            if (name is "connect" or "sendto" or "sendmsg" or "sendmmsg"
                || (name == "socket" && !arguments.StartsWith("AF_UNIX", StringComparison.Ordinal)))
                network.Add(line);
            if (!line.Contains(" = -1 ", StringComparison.Ordinal) && Changes(name, arguments))
                changed.AddRange(FilePath().Matches(arguments).Select(path => Path.GetFullPath(path.Groups["path"].Value,
                    path.Groups["folder"].Value is { Length: > 0 } parent && Path.IsPathRooted(parent) ? parent : folder)));
        }
        return new SystemCalls(network, [.. changed.Distinct()]);
    }

    private static bool Changes(string name, string arguments) => name switch
    {
        "open" or "openat" or "openat2" => OpensForWriting().IsMatch(arguments),
        "creat" or "mkdir" or "mkdirat" or "mknod" or "mknodat" or "link" or "linkat" or "symlink" or "symlinkat" or "rename" or "renameat"
        or "renameat2"
            or "unlink" or "unlinkat" or "rmdir" or "truncate" or "chmod" or "fchmodat" or "chown" or "lchown" or "fchownat" => true,
        _ => false,
    };

    // "123 openat(AT_FDCWD</tmp>, "file", O_RDWR) = 5</tmp/file>"; a call that another
    // thread interrupts is cut at "<unfinished", its arguments are there.
    [GeneratedRegex(@"^\d+\s+(?<name>\w+)\((?<arguments>.*)$")]
    private static partial Regex Call();

    [GeneratedRegex(@"\bO_(WRONLY|RDWR|CREAT|TRUNC)\b")]
    private static partial Regex OpensForWriting();

    [GeneratedRegex("(?:(?:AT_FDCWD|\\d+)<(?<folder>[^>]*)>, )?\"(?<path>[^\"]*)\"")]
    private static partial Regex FilePath();
}
