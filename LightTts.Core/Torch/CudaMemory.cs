using System.Runtime.InteropServices;

namespace LightTts.Torch;

/// <summary>How much of the current CUDA device's memory is taken, by whomever: what the
/// driver says, as TorchSharp does not give out libtorch's own counts.</summary>
internal static unsafe class CudaMemory
{
    private static readonly delegate* unmanaged<nuint*, nuint*, int> MemGetInfo = Find();

    /// <summary>Bytes taken, libtorch's cache and CUDA's own context included; null where they cannot be had.</summary>
    public static long? Used()
    {
        nuint free, total;
        return MemGetInfo != null && MemGetInfo(&free, &total) == 0 ? (long)(total - free) : null;
    }

    // A look-up in a library finds what its dependencies export, too: CUDA's runtime, under whichever name it has there.
    private static delegate* unmanaged<nuint*, nuint*, int> Find() =>
        OperatingSystem.IsLinux() && NativeLibrary.TryLoad("libc10_cuda.so", out var library)
        && NativeLibrary.TryGetExport(library, "cudaMemGetInfo", out var address)
            ? (delegate* unmanaged<nuint*, nuint*, int>)address
            : null;
}
