using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace LightTts.FileSystem;

/// <summary>What the system says about a file: whose it is, how long it is, whether a path still leads to it.</summary>
/// <remarks>On Windows only the length is filled in: there the folder's access list keeps other users out.</remarks>
internal readonly record struct FileFacts(uint Owner, uint Mode, ulong Device, ulong Inode, uint Links, long Length)
{
    private const uint TypeMask = 0xF000, Regular = 0x8000, Folder = 0x4000, WritableByOthers = 0x12;
    private const int CurrentFolder = -100, EmptyPath = 0x1000, BasicStats = 0x7FF, StatBytes = 256;

    public bool IsRegular => OperatingSystem.IsWindows() || (Mode & TypeMask) == Regular;

    public bool IsFolder => OperatingSystem.IsWindows() || (Mode & TypeMask) == Folder;

    /// <summary>Whether nobody but this user can have written it.</summary>
    public bool IsOurs => OperatingSystem.IsWindows() || (Owner == UnixNative.GetEffectiveUser() && (Mode & WritableByOthers) == 0);

    public bool IsSameFile(in FileFacts other) => Device == other.Device && Inode == other.Inode;

    /// <exception cref="IOException">The system does not say.</exception>
    public static unsafe FileFacts Of(SafeFileHandle file)
    {
        if (OperatingSystem.IsWindows())
            return new FileFacts(0, 0, 0, 0, 1, RandomAccess.GetLength(file));
        var buffer = stackalloc byte[StatBytes];
        var result = OperatingSystem.IsMacOS() ? UnixNative.FStat(file, buffer) : UnixNative.StatX(file, "", EmptyPath, BasicStats, buffer);
        return result == 0 ? Parse(new ReadOnlySpan<byte>(buffer, StatBytes))
            : throw new IOException($"The file's owner and size cannot be read (error {Marshal.GetLastPInvokeError()}).");
    }

    /// <summary>Facts of what a path leads to, or null where there is nothing (or nothing that may be looked at).</summary>
    public static unsafe FileFacts? Of(string path)
    {
        if (OperatingSystem.IsWindows())
            return File.Exists(path) ? new FileFacts(0, 0, 0, 0, 1, new FileInfo(path).Length) : Directory.Exists(path) ? default(FileFacts) : null;
        var buffer = stackalloc byte[StatBytes];
        var result = OperatingSystem.IsMacOS() ? UnixNative.Stat(path, buffer) : UnixNative.StatX(CurrentFolder, path, 0, BasicStats, buffer);
        return result == 0 ? Parse(new ReadOnlySpan<byte>(buffer, StatBytes)) : null;
    }

    // Linux: struct statx, the same on every architecture. macOS: struct stat with 64-bit inodes.
    private static FileFacts Parse(ReadOnlySpan<byte> raw) => OperatingSystem.IsMacOS()
        ? new FileFacts(
            BinaryPrimitives.ReadUInt32LittleEndian(raw[16..]), BinaryPrimitives.ReadUInt16LittleEndian(raw[4..]),
            BinaryPrimitives.ReadUInt32LittleEndian(raw),
            BinaryPrimitives.ReadUInt64LittleEndian(raw[8..]), BinaryPrimitives.ReadUInt16LittleEndian(raw[6..]),
            BinaryPrimitives.ReadInt64LittleEndian(raw[96..]))
        : new FileFacts(
            BinaryPrimitives.ReadUInt32LittleEndian(raw[20..]), BinaryPrimitives.ReadUInt16LittleEndian(raw[28..]),
            BinaryPrimitives.ReadUInt64LittleEndian(raw[136..]),
            BinaryPrimitives.ReadUInt64LittleEndian(raw[32..]), BinaryPrimitives.ReadUInt32LittleEndian(raw[16..]),
            BinaryPrimitives.ReadInt64LittleEndian(raw[40..]));
}
