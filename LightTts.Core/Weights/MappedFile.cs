using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;

namespace LightTts.Weights;

/// <summary>A whole file mapped read-only. Pages come in as they are touched and the
/// system may drop them again, so a 2 GB file is never copied into memory.</summary>
internal sealed unsafe partial class MappedFile : IDisposable
{
    private const int DoNotNeed = 4; // MADV_DONTNEED, the same number on Linux and macOS

    private readonly FileStream _stream;
    private readonly MemoryMappedFile _map;
    private readonly MemoryMappedViewAccessor _view;
    private readonly Lock _lock = new();
    private byte* _pointer;
    private int _holders = 1;
    private bool _isClosed;

    private MappedFile(string path, FileStream stream)
    {
        Path = path;
        _stream = stream;
        Length = stream.Length;
        _map = MemoryMappedFile.CreateFromFile(stream, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
        _view = _map.CreateViewAccessor(0, Length, MemoryMappedFileAccess.Read);
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref _pointer);
        _pointer += _view.PointerOffset;
    }

    public string Path { get; }

    public long Length { get; }

    /// <exception cref="TtsModelLoadException">The file does not exist, is empty or cannot be read.</exception>
    public static MappedFile Open(string path)
    {
        FileStream? stream = null;
        try
        {
            stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
            if (stream.Length == 0)
                throw new TtsModelLoadException($"{path}: the file is empty; download it again.");
            return new MappedFile(path, stream);
        }
        catch (Exception e)
        {
            stream?.Dispose();
            throw e switch
            {
                TtsModelLoadException => e,
                FileNotFoundException or DirectoryNotFoundException => new TtsModelLoadException($"{path}: the file does not exist.", e),
                UnauthorizedAccessException => new TtsModelLoadException($"{path}: the file cannot be read; check its permissions.", e),
                IOException or ArgumentException or NotSupportedException =>
                new TtsModelLoadException($"{path}: the file cannot be opened: {e.Message}", e),
                _ => e,
            };
        }
    }

    /// <summary>Keeps the file mapped, also when it is disposed, until what this gives back is.</summary>
    public IDisposable Hold()
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_pointer is null, this);
            _holders++;
        }
        return new Holder(this);
    }

    /// <summary>The bytes at [<paramref name="offset"/>, offset + <paramref name="length"/>), valid until the file is disposed.</summary>
    /// <exception cref="ArgumentOutOfRangeException">They are not all within the file.</exception>
    public byte* At(long offset, long length)
    {
        ObjectDisposedException.ThrowIf(_pointer is null, this);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, Length - length);
        return _pointer + offset;
    }

    /// <inheritdoc cref="At"/>
    public ReadOnlySpan<byte> Span(long offset, int length) => new(At(offset, length), length);

    /// <summary>Says that bytes were read and are not needed soon: their pages leave this
    /// process' memory at once and not when memory runs short. They can be read again.</summary>
    public void Release(long offset, long length)
    {
        if (OperatingSystem.IsWindows() || length < Environment.SystemPageSize)
            return;
        // Only pages that lie within: their neighbours may be another tensor's, in use on this thread or another.
        nuint page = (nuint)Environment.SystemPageSize, start = ((nuint)At(offset, length) + page - 1) / page * page,
            end = ((nuint)_pointer + (nuint)(offset + length)) / page * page;
        if (end > start)
            _ = Advise(start, end - start, DoNotNeed); // advice: where it is not taken, the pages go when memory runs short
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(nuint address, nuint length, int advice);

    public void Dispose()
    {
        if (!Interlocked.Exchange(ref _isClosed, true))
            LetGo();
    }

    private void LetGo()
    {
        lock (_lock)
        {
            if (--_holders > 0)
                return;
            _pointer = null;
        }
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _map.Dispose();
        _stream.Dispose();
    }

    private sealed class Holder(MappedFile file) : IDisposable
    {
        private MappedFile? _file = file;

        public void Dispose() => Interlocked.Exchange(ref _file, null)?.LetGo();
    }
}
