namespace LightTts.Cuda;

/// <summary>A kernel of a <see cref="CudaModule"/>.</summary>
internal sealed class CudaKernel(nint function, bool overlap)
{
    // All may have 48 KB, in which what the kernel declares itself counts, too.
    private const int SharedBytesOfAll = 32 * 1024;

    private int _allowedBytes = SharedBytesOfAll;

    /// <summary>Launches it, to run when all before it on the stream is done.</summary>
    /// <param name="stream">The stream's handle (<see cref="CudaStream.CurrentHandle"/>).</param>
    /// <param name="grid">Blocks.</param>
    /// <param name="threads">Threads of a block.</param>
    /// <param name="sharedBytes">Shared memory of a block that the kernel does not declare itself.</param>
    /// <param name="afterKernel">Whether a kernel of this kind goes before it, which it may overlap.</param>
    /// <param name="arguments">Addresses, and numbers by <see cref="Argument(int)"/>.</param>
    public void Launch(nint stream, (int X, int Y, int Z) grid, int threads, int sharedBytes, bool afterKernel,
        params ReadOnlySpan<long> arguments) => Launch(stream, grid, threads, sharedBytes, afterKernel, [], arguments);

    /// <summary>The same of a kernel whose first arguments are tensor maps.</summary>
    /// <param name="stream">As above.</param>
    /// <param name="grid">Blocks.</param>
    /// <param name="threads">Threads of a block.</param>
    /// <param name="sharedBytes">Shared memory of a block that the kernel does not declare itself.</param>
    /// <param name="afterKernel">As above.</param>
    /// <param name="maps">The first arguments.</param>
    /// <param name="arguments">The others.</param>
    public void Launch(nint stream, (int X, int Y, int Z) grid, int threads, int sharedBytes, bool afterKernel, ReadOnlySpan<TensorMap> maps,
        ReadOnlySpan<long> arguments)
    {
        if (sharedBytes > _allowedBytes)
        {
            CudaDriver.AllowSharedBytes(function, sharedBytes);
            _allowedBytes = sharedBytes;
        }
        CudaDriver.Launch(function, grid, threads, sharedBytes, stream, overlap && afterKernel, maps, arguments);
    }

    public static long Argument(int value) => (uint)value;

    public static long Argument(float value) => BitConverter.SingleToUInt32Bits(value);
}
