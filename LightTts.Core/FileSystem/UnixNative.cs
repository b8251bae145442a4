using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace LightTts.FileSystem;

/// <summary>The few calls of the C library that .NET does not offer: who owns a file,
/// locks that the kernel lets go of, space that is really there.</summary>
internal static partial class UnixNative
{
    public const int LockExclusive = 2, LockNonBlocking = 4;
    public const int NotPermitted = 1, NoEntry = 2, Interrupted = 4, AccessDenied = 13, NoSpace = 28, ReadOnly = 30;
    public const int ReadWrite = 2, CloseOnExec = 0x80000, CloseOnExecMacOS = 0x1000000;

    /// <summary>Opens a file that is there (so the third, variable argument is not needed).</summary>
    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial SafeFileHandle Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "geteuid")]
    public static partial uint GetEffectiveUser();

    [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
    public static partial int FLock(SafeFileHandle file, int operation);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    public static partial int FSync(SafeFileHandle file);

    /// <summary>Unlike setting the length, this leaves no hole: touching a page of a hole on a full tmpfs ends the process with SIGBUS.</summary>
    /// <returns>0 or the error.</returns>
    [LibraryImport("libc", EntryPoint = "posix_fallocate")]
    public static partial int Allocate(SafeFileHandle file, nint offset, nint length);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static unsafe partial int StatX(SafeFileHandle folder, string path, int flags, uint mask, byte* result);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static unsafe partial int StatX(int folder, string path, int flags, uint mask, byte* result);

    [LibraryImport("libc", EntryPoint = "fstat", SetLastError = true)]
    public static unsafe partial int FStat(SafeFileHandle file, byte* result);

    [LibraryImport("libc", EntryPoint = "stat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static unsafe partial int Stat(string path, byte* result);
}
