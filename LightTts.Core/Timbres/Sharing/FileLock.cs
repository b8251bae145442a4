using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace LightTts.Timbres.Sharing;

/// <summary>An exclusive lock of the operating system, held through an open file: when the process ends, however it ends, the kernel lets go of it.</summary>
/// <remarks>Every lock opens the file anew, so that it excludes other threads and stores of this process, too. Never a named Mutex: those leave owners behind, and their
/// layout on Unix differs between versions of .NET.</remarks>
internal sealed class FileLock : IDisposable
{
    private const int QuickTries = 64;
    private readonly SafeFileHandle _file;
    private readonly string? _deletePath;

    private FileLock(SafeFileHandle file, string? deletePath) => (_file, _deletePath) = (file, deletePath);

    /// <summary>Takes the lock.</summary>
    /// <param name="path">The lock's file; made where it is missing.</param>
    /// <param name="wait">How long to wait for its holder.</param>
    /// <param name="deleteAfterwards">Whether the file goes away with the lock (on Windows it stays).</param>
    /// <returns>The lock, or null where the holder did not let go of it in time.</returns>
    /// <exception cref="IOException">The file cannot be made, or is another user's.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be opened.</exception>
    public static FileLock? TryAcquire(string path, TimeSpan wait, bool deleteAfterwards = false)
    {
        while (true)
        {
            if (TryOpen(path) is not { } file)
                continue;
            if (!TryLock(file, wait))
                return null;
            // Its holder may have deleted it while we waited: then we hold a lock that nobody else sees.
            if (OperatingSystem.IsWindows() || (FileFacts.Of(path) is { } current && current.IsSameFile(FileFacts.Of(file))))
                return new FileLock(file, deleteAfterwards && !OperatingSystem.IsWindows() ? path : null);
            file.Dispose();
        }
    }

    public void Dispose()
    {
        if (_deletePath is not null)
            PrivateFile.TryDelete(_deletePath);
        _file.Dispose();
    }

    // Null where the file was deleted again in between.
    private static SafeFileHandle? TryOpen(string path)
    {
        try
        {
            return PrivateFile.Open(path);
        }
        catch (FileNotFoundException)
        {
            try
            {
                PrivateFile.Create(path).Dispose();
            }
            catch (IOException e) when (e is not DirectoryNotFoundException && File.Exists(path))
            {
                // Another process was faster.
            }
            return null;
        }
    }

    // Owns the file where it returns false.
    private static bool TryLock(SafeFileHandle file, TimeSpan wait)
    {
        for (var i = 0; i < QuickTries; i++)
        {
            if (Lock(file, block: false))
                return true;
            if (wait == TimeSpan.Zero)
                break;
            Thread.Yield();
        }
        if (wait > TimeSpan.Zero)
        {
            // The kernel knows no timeout here, so a thread waits that we can turn our back on.
            var waiting = new Waiting(file);
            var thread = new Thread(waiting.Run) { IsBackground = true, Name = "LightTts lock" };
            thread.Start();
            thread.Join(wait);
            return waiting.TryTake();
        }
        file.Dispose();
        return false;
    }

    private static unsafe bool Lock(SafeFileHandle file, bool block)
    {
        if (OperatingSystem.IsWindows())
        {
            NativeOverlapped start = default;
            return WindowsNative.LockFileEx(file, WindowsNative.Exclusive | (block ? 0 : WindowsNative.FailImmediately), 0, 1, 0, &start);
        }
        while (UnixNative.FLock(file, UnixNative.LockExclusive | (block ? 0 : UnixNative.LockNonBlocking)) != 0)
            if (Marshal.GetLastPInvokeError() != UnixNative.Interrupted)
                return false;
        return true;
    }

    private sealed class Waiting(SafeFileHandle file)
    {
        private const int Undecided = 0, Locked = 1, Failed = 2, Abandoned = 3;
        private int _state;

        public void Run()
        {
            var locked = Lock(file, block: true);
            if (Interlocked.CompareExchange(ref _state, locked ? Locked : Failed, Undecided) == Abandoned)
                file.Dispose();
        }

        public bool TryTake()
        {
            switch (Interlocked.CompareExchange(ref _state, Abandoned, Undecided))
            {
                case Locked:
                    return true;
                case Failed:
                    file.Dispose();
                    return false;
                default:
                    return false;
            }
        }
    }
}
