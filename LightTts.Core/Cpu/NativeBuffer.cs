using System.Runtime.InteropServices;

namespace LightTts.Cpu;

/// <summary>32-bit floats outside of the managed heap, zeroed, on a cache line's boundary.</summary>
/// <remarks>
/// Large ones are mappings of their own: what is not touched takes no memory, and what is given back is the system's again. From the C library's heap
/// they would come zeroed by hand where they begin a new part of it, and leave holes that the process keeps.
/// </remarks>
internal sealed unsafe partial class NativeBuffer : IDisposable
{
    private const int Alignment = 64;
    private const nuint Mapped = 1 << 20; // bytes from which it is a mapping

    private readonly nuint _bytes;
    private void* _block;

    public NativeBuffer(long length)
    {
        Length = length;
        _bytes = checked((nuint)length * sizeof(float) + Alignment);
        _block = IsMapped ? Map(_bytes) : NativeMemory.AllocZeroed(_bytes);
        Start = (float*)(((nuint)_block + Alignment - 1) & ~(nuint)(Alignment - 1));
    }

    ~NativeBuffer() => Free();

    public long Length { get; }

    public float* Start { get; private set; }

    // Windows' heap does the same by itself.
    private bool IsMapped => _bytes >= Mapped && !OperatingSystem.IsWindows();

    /// <summary>A number of floats rounded up so that rows of that length start on such a boundary.</summary>
    public static int Padded(int length) => (length + 15) / 16 * 16;

    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        if (_block is null)
            return;
        if (IsMapped)
            _ = Unmap(_block, _bytes);
        else
            NativeMemory.Free(_block);
        _block = null;
        Start = null;
    }

    private static void* Map(nuint bytes)
    {
        const int readAndWrite = 3, isPrivate = 2;
        var anonymous = OperatingSystem.IsMacOS() ? 0x1000 : 0x20;
        var block = Map(null, bytes, readAndWrite, isPrivate | anonymous, -1, 0);
        return block == (void*)-1 ? throw new OutOfMemoryException() : block;
    }

    [LibraryImport("libc", EntryPoint = "mmap")]
    private static partial void* Map(void* address, nuint bytes, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int Unmap(void* address, nuint bytes);
}
