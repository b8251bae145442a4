using LightTts.FileSystem;
using LightTts.Timbres.Sharing;
using Microsoft.Win32.SafeHandles;

namespace LightTts.Timbres.Durable;

/// <summary>Files that are there as a whole or not at all, whenever the power fails.</summary>
internal static class DurableFile
{
    public const string TemporaryMark = ".tmp-";

    /// <summary>Reads a file of this user's, or null where there is none.</summary>
    /// <exception cref="IOException">It cannot be read, is another user's, or is longer than it may be.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    public static byte[]? Read(string path, int maxBytes)
    {
        // Looked at before it is opened: opening a pipe would wait for its other end.
        if (FileFacts.Of(path) is not { } there)
            return null;
        if (!there.IsRegular)
            throw new IOException("It is not a regular file.");
        SafeFileHandle file;
        try
        {
            file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        using (file)
        {
            var facts = FileFacts.Of(file);
            if (!facts.IsOurs)
                throw new IOException("Another user made it or can write to it.");
            if (facts.Length > maxBytes)
                throw new IOException($"It is {facts.Length:N0} bytes long, at most {maxBytes:N0} are read.");
            var bytes = new byte[facts.Length];
            var read = 0;
            while (read < bytes.Length && RandomAccess.Read(file, bytes.AsSpan(read), read) is var count and > 0)
                read += count;
            return read == bytes.Length ? bytes : bytes[..read];
        }
    }

    /// <summary>Puts a file in place: complete and on the disk under a temporary name first, then renamed.</summary>
    /// <exception cref="IOException">There is no space, or it cannot be made.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be made.</exception>
    public static void Write(string path, ReadOnlySpan<byte> content)
    {
        var temporary = path + TemporaryMark + Guid.NewGuid().ToString("N");
        try
        {
            using (var stream = PrivateFile.Create(temporary))
            {
                SegmentSteps.At("durable file created");
                stream.Write(content[..(content.Length / 2)]);
                SegmentSteps.At("durable file half written");
                stream.Write(content[(content.Length / 2)..]);
                stream.Flush(flushToDisk: true);
            }
            SegmentSteps.At("durable file complete");
            File.Move(temporary, path, overwrite: true);
            SegmentSteps.At("durable file in place");
            Settle(Path.GetDirectoryName(path)!);
        }
        catch
        {
            PrivateFile.TryDelete(temporary);
            throw;
        }
    }

    /// <summary>Removes a file.</summary>
    /// <returns>Whether there was one.</returns>
    public static bool Delete(string path)
    {
        if (!File.Exists(path))
            return false;
        File.Delete(path);
        return true;
    }

    /// <summary>Waits until what was renamed or removed in a folder is on the disk. (NTFS writes names with its journal.)</summary>
    public static void Settle(string folder)
    {
        if (OperatingSystem.IsWindows())
            return;
        using var handle = UnixNative.Open(folder, OperatingSystem.IsMacOS() ? UnixNative.CloseOnExecMacOS : UnixNative.CloseOnExec);
        // File systems that cannot do that for folders (some network ones) say so; nothing better is to be had there.
        if (!handle.IsInvalid)
            _ = UnixNative.FSync(handle);
    }
}
