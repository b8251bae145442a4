using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace LightTts.FileSystem;

/// <summary>Files and folders that only this user can read and write.</summary>
internal static class PrivateFile
{
    private const UnixFileMode ForUser = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Opens a file that is there, for reading and writing. With <paramref name="anyOwner"/> it may be another user's.</summary>
    /// <exception cref="IOException">It cannot be opened, or is another user's.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be opened.</exception>
    public static SafeFileHandle Open(string path, bool anyOwner = false)
    {
        var file = OperatingSystem.IsWindows()
            ? File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete)
            : OpenOnUnix(path);
        try
        {
            var facts = FileFacts.Of(file);
            if (!facts.IsRegular)
                throw new IOException("It is not a regular file.");
            if (!facts.IsOurs && !anyOwner)
                throw new IOException("Another user made it or can write to it.");
            return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Keeps others from reading a file that has turned out to be ours in kind, too: never one that merely was named.</summary>
    public static void MakePrivate(SafeFileHandle file)
    {
        if (!OperatingSystem.IsWindows() && (FileFacts.Of(file).Mode & 0x1FF) != (uint)ForUser)
            File.SetUnixFileMode(file, ForUser);
    }

    /// <summary>Makes a new file.</summary>
    /// <exception cref="IOException">There is one already, or it cannot be made.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be made.</exception>
    public static FileStream Create(string path, bool anyOwner = false)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.ReadWrite,
            Share = FileShare.ReadWrite | FileShare.Delete, BufferSize = 0 };
        if (!OperatingSystem.IsWindows() && !anyOwner)
            options.UnixCreateMode = ForUser;
        return new FileStream(path, options);
    }

    /// <summary>Makes the file this long, with all its space allocated.</summary>
    /// <exception cref="IOException">There is not enough space.</exception>
    public static void Allocate(SafeFileHandle file, long length)
    {
        if (!OperatingSystem.IsWindows() && !OperatingSystem.IsMacOS())
        {
            int error;
            do
                error = UnixNative.Allocate(file, 0, (nint)length);
            while (error == UnixNative.Interrupted);
            if (error == 0)
                return;
            if (error == UnixNative.NoSpace)
                throw new IOException("No space is left on the device.", new Win32Exception(error));
        }
        // The file system cannot allocate: zeros that were written have their space.
        var zeros = new byte[1 << 20];
        for (long at = 0; at < length; at += zeros.Length)
            RandomAccess.Write(file, zeros.AsSpan(0, (int)Math.Min(zeros.Length, length - at)), at);
    }

    /// <summary>Makes sure of a folder that only this user can enter.</summary>
    /// <exception cref="IOException">Another user made it or can write to it.</exception>
    public static void MakeFolder(string path)
    {
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(path);
        else
            Directory.CreateDirectory(path, ForUser | UnixFileMode.UserExecute);
        if (FileFacts.Of(path) is not { IsFolder: true, IsOurs: true })
            throw new IOException("Another user made the folder or can write to it.");
    }

    public static void TryDelete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Left behind: whoever next has reason to will try again.
        }
    }

    // Not File.OpenHandle: it takes a shared flock of its own, which would stand in the way of ours.
    private static SafeFileHandle OpenOnUnix(string path)
    {
        var file = UnixNative.Open(path, UnixNative.ReadWrite | (OperatingSystem.IsMacOS() ? UnixNative.CloseOnExecMacOS : UnixNative.CloseOnExec));
        if (!file.IsInvalid)
            return file;
        var error = Marshal.GetLastPInvokeError();
        var message = $"{Marshal.GetPInvokeErrorMessage(error)}.";
        file.Dispose();
        throw error switch
        {
            UnixNative.NoEntry => new FileNotFoundException(message, path),
            UnixNative.NotPermitted or UnixNative.AccessDenied or UnixNative.ReadOnly => new UnauthorizedAccessException(message),
            _ => new IOException(message),
        };
    }
}
