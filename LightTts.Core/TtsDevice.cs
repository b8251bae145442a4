using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace LightTts;

/// <summary>One device of <see cref="TtsPipelineOptions.Devices"/>.</summary>
/// <param name="Kind"><see cref="ComputeDevice.Cpu"/> or <see cref="ComputeDevice.Cuda"/>.</param>
/// <param name="Index">Which of the CUDA devices, from 0; 0 for the CPU.</param>
public readonly record struct TtsDevice(ComputeDevice Kind, int Index = 0) : IParsable<TtsDevice>
{
    /// <summary>The CPU.</summary>
    public static TtsDevice Cpu => new(ComputeDevice.Cpu);

    /// <summary>A CUDA device.</summary>
    /// <param name="index">Which, from 0.</param>
    public static TtsDevice Cuda(int index) => new(ComputeDevice.Cuda, index);

    /// <summary>Reads a device as libtorch writes it.</summary>
    /// <param name="s">"cpu", "cuda" (the first), "cuda:1".</param>
    /// <param name="provider">Not looked at.</param>
    /// <exception cref="FormatException">The text is none of these.</exception>
    public static TtsDevice Parse(string s, IFormatProvider? provider = null) =>
        TryParse(s, provider, out var device) ? device : throw new FormatException($"'{s}' is no device; use cpu, cuda or cuda:1.");

    /// <inheritdoc cref="Parse"/>
    /// <param name="s">"cpu", "cuda" (the first), "cuda:1".</param>
    /// <param name="provider">Not looked at.</param>
    /// <param name="result">The device.</param>
    /// <returns>Whether the text is one.</returns>
    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, out TtsDevice result)
    {
        result = default;
        var parts = (s ?? "").Trim().Split(':');
        var index = 0;
        if (parts[0].Equals("cpu", StringComparison.OrdinalIgnoreCase) && parts.Length == 1)
            result = Cpu;
        else if (parts[0].Equals("cuda", StringComparison.OrdinalIgnoreCase)
            && (parts.Length == 1 || (parts.Length == 2 && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out index))))
            result = Cuda(index);
        else
            return false;
        return true;
    }

    /// <summary>As libtorch writes it: "cpu", "cuda:1".</summary>
    public override string ToString() => Kind == ComputeDevice.Cuda ? string.Create(CultureInfo.InvariantCulture, $"cuda:{Index}") : "cpu";
}
