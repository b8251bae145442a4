using System.Globalization;

namespace LightTts.Torch;

/// <summary>The limit that a process may have on its address space (ulimit -v, RLIMIT_AS). Where it is reached, native code may end the process: a
/// thread that cannot be made, memory that a library's own thread asks for. So it is looked at before anything is loaded.</summary>
internal static class AddressSpace
{
    // The runtime and the backends with the embedded voice needed between 6.0 and 6.5 million KiB (2 cores, libtorch 2.10).
    private const long OfRuntime = 6_100_000L << 10;

    /// <summary>What is to be said where the limit is too small for a model; null where there is none, or it is large enough.</summary>
    /// <param name="weights">Files of the model's weights.</param>
    public static string? Fault(IEnumerable<string> weights)
    {
        if (Limit() is not { } limit)
            return null;
        var need = OfRuntime + (2 * weights.Sum(file => new FileInfo(file).Length));
        return limit >= need ? null : $"There is not enough memory for the model: the process may use {limit >> 20} MiB of address space and "
            + $"needs about {need >> 20}. Raise the limit (ulimit -v {need >> 10}, or unlimited).";
    }

    private static long? Limit()
    {
        const string name = "Max address space";
        try
        {
            if (!OperatingSystem.IsLinux())
                return null;
            var line = File.ReadLines("/proc/self/limits").FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal));
            var soft = line?[name.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries).FirstOrDefault();
            return long.TryParse(soft, NumberStyles.None, CultureInfo.InvariantCulture, out var bytes) ? bytes : null; // "unlimited"
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
