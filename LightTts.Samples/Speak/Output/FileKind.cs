using System.Runtime.InteropServices;

namespace LightTts.Samples.Speak.Output;

/// <summary>Whether a path is an ordinary file, which may be replaced, or something that
/// is written as it stands: a device, a pipe, a socket.</summary>
internal static unsafe partial class FileKind
{
    private const int AtWorkingFolder = -100, StatxMode = 28, MacMode = 4, TypeMask = 0xF000, Regular = 0x8000;

    public static bool IsSpecial(string path)
    {
        if (OperatingSystem.IsWindows())
            return Path.GetFullPath(path).StartsWith(@"\\.\", StringComparison.Ordinal);
        if (IsDescriptor(path))
            return true;
        if (!File.Exists(path))
            return false;
        var status = stackalloc byte[512];
        try
        {
            // The one field that is needed lies at a fixed place in both systems' records.
            var mode = OperatingSystem.IsLinux()
                ? StatX(AtWorkingFolder, path, 0, 1, status) == 0 ? *(ushort*)(status + StatxMode) : 0
                : Stat(path, status) == 0 ? *(ushort*)(status + MacMode) : 0;
            return mode != 0 && (mode & TypeMask) != Regular;
        }
        catch (EntryPointNotFoundException)
        {
            return path.StartsWith("/dev/", StringComparison.Ordinal) && !path.StartsWith("/dev/shm/", StringComparison.Ordinal);
        }
    }

    /// <summary>Names of open descriptors: what is behind them belongs to whoever opened it.</summary>
    private static bool IsDescriptor(string path) =>
        path is "/dev/stdout" or "/dev/stderr" || path.StartsWith("/dev/fd/", StringComparison.Ordinal)
        || path.StartsWith("/proc/", StringComparison.Ordinal);

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int StatX(int folder, string path, int flags, uint mask, byte* status);

    [LibraryImport("libc", EntryPoint = "stat", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Stat(string path, byte* status);
}
