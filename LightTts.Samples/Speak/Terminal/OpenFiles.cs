using System.Runtime.InteropServices;

namespace LightTts.Samples.Speak.Terminal;

/// <summary>How many files the process may open. Too few end in the middle of loading libraries, where no error can be told any more.</summary>
internal static unsafe partial class OpenFiles
{
    public const int Needed = 256;

    /// <returns>What is wrong, or null.</returns>
    public static string? Problem()
    {
        if (OperatingSystem.IsWindows())
            return null;
        var limit = stackalloc ulong[2];
        if (GetLimit(OperatingSystem.IsLinux() ? 7 : 8, limit) != 0 || limit[0] >= Needed)
            return null;
        return $"this process may open {limit[0]} files and needs {Needed}. Raise the limit first: ulimit -n 1024";
    }

    [LibraryImport("libc", EntryPoint = "getrlimit")]
    private static partial int GetLimit(int resource, ulong* limit);
}
