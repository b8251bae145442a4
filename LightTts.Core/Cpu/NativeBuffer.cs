using System.Runtime.InteropServices;

namespace LightTts.Cpu;

/// <summary>32-bit floats outside of the managed heap, zeroed, on a cache line's boundary.</summary>
internal sealed unsafe class NativeBuffer : IDisposable
{
    private const int Alignment = 64;

    private void* _block;

    public NativeBuffer(long length)
    {
        Length = length;
        // Zeroed by the operating system: pages that are never used cost no memory.
        _block = NativeMemory.AllocZeroed(checked((nuint)length * sizeof(float) + Alignment));
        Start = (float*)(((nuint)_block + Alignment - 1) & ~(nuint)(Alignment - 1));
    }

    ~NativeBuffer() => Free();

    public long Length { get; }

    public float* Start { get; private set; }

    /// <summary>A number of floats rounded up so that rows of that length start on such a boundary.</summary>
    public static int Padded(int length) => (length + 15) / 16 * 16;

    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        NativeMemory.Free(_block);
        _block = null;
        Start = null;
    }
}
