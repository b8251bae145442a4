namespace LightTts.Models;

/// <summary>Recognises the errors after which a CUDA context is of no use to its process
/// any more: every later call fails, whatever it asks for.</summary>
/// <remarks>libtorch hands them on as text ("CUDA error: an illegal memory access was
/// encountered"); the words are those of the driver's cudaGetErrorString.</remarks>
internal static class DeviceLoss
{
    private static readonly string[] s_sticky =
    [
        "illegal memory access", "illegal instruction", "misaligned address", "invalid address space", "invalid program counter",
            "device-side assert", "unspecified launch failure",
        "launch timed out", "hardware stack error", "uncorrectable ECC error", "uncorrectable NVLink error", "no CUDA-capable device",
        "context is destroyed", "driver shutting down",
    ];

    /// <summary>Whether the device is lost to this process.</summary>
    public static bool Is(Exception error)
    {
        for (var e = error; e is not null; e = e.InnerException)
            if (e.Message.Contains("CUDA", StringComparison.Ordinal)
            && s_sticky.Any(words => e.Message.Contains(words, StringComparison.OrdinalIgnoreCase)))
                return true;
        return false;
    }
}
