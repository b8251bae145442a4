using System.Text.RegularExpressions;
using LightTts.Cuda;

namespace LightTts.Models;

/// <summary>Recognises the errors of a CUDA device that has no memory left, which concern only what asked for it: the device goes on.</summary>
/// <remarks>libtorch hands them on as text, in which it says how much was asked for and how much is free; CUDA's own functions say "out of
/// memory", its libraries give numbers and names of their own.</remarks>
internal static partial class DeviceMemoryFault
{
    /// <returns>What the error says of what was needed and what is free, in sentences; null where it is another error.</returns>
    public static string? Of(Exception error)
    {
        for (var e = error; e is not null; e = e.InnerException)
        {
            var isLibrary = Library().IsMatch(e.Message);
            if (!isLibrary && (!e.Message.Contains("CUDA", StringComparison.Ordinal)
                || !e.Message.Contains("out of memory", StringComparison.OrdinalIgnoreCase)))
                continue;
            var said = Numbers().Match(e.Message);
            return said.Success ? said.Value.ReplaceLineEndings(" ") : $"{(isLibrary ? "A library of CUDA's" : "CUDA")} says: out of memory.{Free()}";
        }
        return null;
    }

    private static string Free()
    {
        var device = Math.Max(0, CudaStream.CurrentDevice);
        return CudaMemory.Free(device) is { } free ? $" {free >> 20} MiB of GPU {device} is free." : "";
    }

    [GeneratedRegex(@"Tried to allocate .*? is free\.", RegexOptions.Singleline | RegexOptions.CultureInvariant)]
    private static partial Regex Numbers();

    // Without memory for its first handle cuBLAS says that it is not initialized.
    [GeneratedRegex(@"CU(BLAS|DNN|FFT)_(STATUS_)?ALLOC_FAILED|CUBLAS_STATUS_NOT_INITIALIZED when calling `?cublasCreate|cuBLAS(Lt)? status 3\b",
        RegexOptions.CultureInvariant)]
    private static partial Regex Library();
}
