using System.Runtime.InteropServices;

namespace LightTts.Cuda;

/// <summary>Functions that libtorch's CUDA libraries export, C++ names and those of CUDA's runtime among them, found when they are first asked for:
/// libtorch is loaded by then, so that its parts are found by name.</summary>
/// <remarks>Linux only: other systems name them otherwise, and pass small structures in other ways.</remarks>
internal static class CudaSymbols
{
    /// <summary>Of libc10_cuda, or of what it depends on: CUDA's runtime, under whichever name it has there.</summary>
    public static nint OfCore(string name) => Find("libc10_cuda.so", name);

    /// <summary>Of libtorch_cuda.</summary>
    public static nint OfTorch(string name) => Find("libtorch_cuda.so", name);

    /// <returns>0 where there is none.</returns>
    private static nint Find(string library, string name) =>
        OperatingSystem.IsLinux() && NativeLibrary.TryLoad(library, out var handle) && NativeLibrary.TryGetExport(handle, name, out var address)
            ? address
            : 0;
}
