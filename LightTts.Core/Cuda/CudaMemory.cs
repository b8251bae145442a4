using System.Runtime.InteropServices;

namespace LightTts.Cuda;

/// <summary>How much of the current CUDA device's memory is taken, by whomever: what the
/// driver says, as TorchSharp does not give out libtorch's own counts.</summary>
internal static unsafe class CudaMemory
{
    private static readonly delegate* unmanaged<nuint*, nuint*,
        int> MemGetInfo = (delegate* unmanaged<nuint*, nuint*, int>)CudaSymbols.OfCore("cudaMemGetInfo");
    private static readonly delegate* unmanaged<int, byte*> ErrorText = (delegate* unmanaged<int, byte*>)CudaSymbols.OfCore("cudaGetErrorString");
    private static readonly delegate* unmanaged<int*, int> GetDevice = (delegate* unmanaged<int*, int>)CudaSymbols.OfCore("cudaGetDevice");
    private static readonly delegate* unmanaged<int, int> SetDevice = (delegate* unmanaged<int, int>)CudaSymbols.OfCore("cudaSetDevice");

    /// <summary>Bytes taken, libtorch's cache and CUDA's own context included; null where they cannot be had.</summary>
    public static long? Used()
    {
        nuint free, total;
        return MemGetInfo != null && MemGetInfo(&free, &total) == 0 ? (long)(total - free) : null;
    }

    /// <summary>Bytes of a device that nobody has taken; null where they cannot be had.</summary>
    public static long? Free(int device)
    {
        int before;
        if (MemGetInfo == null || GetDevice == null || SetDevice == null || GetDevice(&before) != 0 || SetDevice(device) != 0)
            return null;
        nuint free, total;
        var error = MemGetInfo(&free, &total);
        return SetDevice(before) == 0 && error == 0 ? (long)free : null;
    }

    /// <summary>Asks a device how much memory it has, to hear whether it is lost to this process.</summary>
    /// <exception cref="ExternalException">It is.</exception>
    public static void Require(int device)
    {
        if (MemGetInfo == null || ErrorText == null || GetDevice == null || SetDevice == null)
            return;
        int before;
        nuint free, total;
        var error = GetDevice(&before);
        if (error == 0)
        {
            error = SetDevice(device);
            if (error == 0)
                error = MemGetInfo(&free, &total);
            _ = SetDevice(before);
        }
        if (error != 0)
            throw new ExternalException($"CUDA error: {Marshal.PtrToStringUTF8((nint)ErrorText(error))} ({error})");
    }
}
