using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace LightTts.FileSystem;

/// <summary>An exclusive lock of the operating system, held through an open file: when
/// the process ends, however it ends, the kernel lets go of it.</summary>
/// <remarks>Every lock opens the file anew, so that it excludes other threads and stores
/// of this process, too. Never a named Mutex: those leave owners behind, and their
/// layout on Unix differs between versions of .NET.</remarks>
internal sealed class FileLock : IDisposable
{
    private const int QuickTries = 64;
    private const int FileExistsOnUnix = 17; // EEXIST
    private const int FileExistsOnWindows = unchecked((int)0x80070050);
    private const int WouldBlockOnLinux = 11, WouldBlockOnMacOS = 35; // EWOULDBLOCK

    private readonly SafeFileHandle _file;
    private readonly string? _deletePath;

    private FileLock(SafeFileHandle file, string? deletePath) => (_file, _deletePath) = (file, deletePath);

    /// <summary>Takes the lock.</summary>
    /// <param name="path">The lock's file; made where it is missing.</param>
    /// <param name="wait">How long to wait for its holder.</param>
    /// <param name="deleteAfterwards">Whether the file goes away with the lock (on Windows it stays).</param>
    /// <param name="anyOwner">Whether the file may be another user's, in a folder that users share: whoever can open it can only
    /// hold others up.</param>
    /// <returns>The lock, or null where the holder did not let go of it in time.</returns>
    /// <exception cref="IOException">The file cannot be made, or is another user's.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be opened.</exception>
    public static FileLock? TryAcquire(string path, TimeSpan wait, bool deleteAfterwards = false, bool anyOwner = false)
    {
        while (true)
        {
            if (TryOpen(path, anyOwner) is not { } file)
                continue;
            if (!TryLock(file, wait))
                return null;
            if (IsCurrent(path, file))
                return new FileLock(file, deleteAfterwards && !OperatingSystem.IsWindows() ? path : null);
            file.Dispose();
        }
    }

    /// <summary>As <see cref="TryAcquire"/>, and no thread of the pool waits: the kernel offers
    /// no other way than a thread of our own, started only where the lock is held.</summary>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    /// <inheritdoc cref="TryAcquire"/>
    public static ValueTask<FileLock?> TryAcquireAsync(string path, TimeSpan wait, bool deleteAfterwards, CancellationToken cancellationToken) =>
        TryAcquireAsync(path, wait, deleteAfterwards, anyOwner: false, cancellationToken);

    /// <inheritdoc cref="TryAcquireAsync(string, TimeSpan, bool, CancellationToken)"/>
    public static async ValueTask<FileLock?> TryAcquireAsync(string path, TimeSpan wait, bool deleteAfterwards, bool anyOwner,
        CancellationToken cancellationToken)
    {
        while (true)
        {
            if (TryOpen(path, anyOwner) is not { } file)
                continue;
            if (!TryLockAtOnce(file, wait))
            {
                if (wait <= TimeSpan.Zero)
                {
                    file.Dispose();
                    return null;
                }
                if (!await Waiting.Start(file).WaitAsync(wait, cancellationToken).ConfigureAwait(false))
                    return null;
            }
            if (IsCurrent(path, file))
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

    // Its holder may have deleted it while we waited: then we hold a lock that nobody else sees.
    private static bool IsCurrent(string path, SafeFileHandle file) =>
        OperatingSystem.IsWindows() || (FileFacts.Of(path) is { } current && current.IsSameFile(FileFacts.Of(file)));

    // Null where the file was deleted again in between.
    private static SafeFileHandle? TryOpen(string path, bool anyOwner = false)
    {
        try
        {
            return PrivateFile.Open(path, anyOwner);
        }
        catch (FileNotFoundException)
        {
            try
            {
                PrivateFile.Create(path, anyOwner).Dispose();
            }
            catch (IOException e) when (e.HResult is FileExistsOnUnix or FileExistsOnWindows || IsLocked(e))
            {
                // Another one was faster, and may have deleted it again already; or made it ours, and locked it before we let go of it.
            }
            return null;
        }
    }

    // .NET puts a shared lock of its own on every file that it makes, without waiting: where somebody else has opened and
    // locked the new file in between, it throws, though the file was made.
    private static bool IsLocked(IOException e) => !OperatingSystem.IsWindows()
        && e.HResult == (OperatingSystem.IsMacOS() ? WouldBlockOnMacOS : WouldBlockOnLinux);

    // Owns the file where it returns false.
    private static bool TryLock(SafeFileHandle file, TimeSpan wait)
    {
        if (TryLockAtOnce(file, wait))
            return true;
        if (wait > TimeSpan.Zero)
            return Waiting.Start(file).Wait(wait);
        file.Dispose();
        return false;
    }

    private static bool TryLockAtOnce(SafeFileHandle file, TimeSpan wait)
    {
        for (var i = 0; i < QuickTries; i++)
        {
            if (Lock(file, block: false))
                return true;
            if (wait == TimeSpan.Zero)
                break;
            Thread.Yield();
        }
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

    // The kernel knows no timeout here, so a thread waits that we can turn our back on.
    private sealed class Waiting(SafeFileHandle file)
    {
        private const int StackBytes = 128 << 10;
        private const int Undecided = 0, Locked = 1, Failed = 2, Abandoned = 3;
        private readonly TaskCompletionSource _decided = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _state;

        public static Waiting Start(SafeFileHandle file)
        {
            var waiting = new Waiting(file);
            new Thread(waiting.Run, StackBytes) { IsBackground = true, Name = "LightTts lock" }.Start();
            return waiting;
        }

        public bool Wait(TimeSpan wait)
        {
            _decided.Task.Wait(wait);
            return TryTake();
        }

        public async Task<bool> WaitAsync(TimeSpan wait, CancellationToken cancellationToken)
        {
            try
            {
                await _decided.Task.WaitAsync(wait, cancellationToken).ConfigureAwait(false);
            }
            catch (TimeoutException)
            {
                // Whether it came after all is decided below.
            }
            catch (OperationCanceledException)
            {
                if (TryTake())
                    file.Dispose();
                throw;
            }
            return TryTake();
        }

        private void Run()
        {
            var locked = Lock(file, block: true);
            if (Interlocked.CompareExchange(ref _state, locked ? Locked : Failed, Undecided) == Abandoned)
                file.Dispose();
            _decided.SetResult();
        }

        private bool TryTake()
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
