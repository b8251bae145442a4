using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace LightTts.FileSystem;

/// <summary>Byte-range locks on Windows; the system lets go of them when the handle is closed, by whatever means.</summary>
internal static partial class WindowsNative
{
    public const uint FailImmediately = 1, Exclusive = 2;

    [LibraryImport("kernel32", EntryPoint = "LockFileEx", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    public static unsafe partial bool LockFileEx(SafeFileHandle file, uint flags, uint reserved, uint lengthLow, uint lengthHigh,
        NativeOverlapped* offset);
}
