using System.Text.RegularExpressions;

namespace LightTts.Models;

/// <summary>Recognises the errors of a CUDA device that has no memory left, which concern only what asked for it: the device goes on.</summary>
/// <remarks>libtorch hands them on as text, in which it says how much was asked for and how much is free; CUDA's own functions say "out of
/// memory".</remarks>
internal static partial class DeviceMemoryFault
{
    /// <returns>What the error says of what was needed and what is free, in sentences; null where it is another error.</returns>
    public static string? Of(Exception error)
    {
        for (var e = error; e is not null; e = e.InnerException)
        {
            if (!e.Message.Contains("CUDA", StringComparison.Ordinal) || !e.Message.Contains("out of memory", StringComparison.OrdinalIgnoreCase))
                continue;
            var said = Numbers().Match(e.Message);
            return said.Success ? said.Value.ReplaceLineEndings(" ") : "CUDA says: out of memory.";
        }
        return null;
    }

    [GeneratedRegex(@"Tried to allocate .*? is free\.", RegexOptions.Singleline | RegexOptions.CultureInvariant)]
    private static partial Regex Numbers();
}
