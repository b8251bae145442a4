using System.CommandLine;
using System.Globalization;

namespace LightTts.Benchmarks;

/// <summary><c>--device</c>: auto, cpu, cuda, or one card of several as cuda:1.</summary>
internal static class DeviceOption
{
    public static Option<(ComputeDevice Device, int Index)> Create() => new("--device")
    {
        Description = "auto, cpu, cuda or cuda:1.",
        DefaultValueFactory = _ => (ComputeDevice.Cpu, 0),
        CustomParser = result =>
        {
            if (TryParse(result.Tokens[0].Value, out var device))
                return device;
            result.AddError($"--device is '{result.Tokens[0].Value}'; use auto, cpu, cuda or cuda:1.");
            return default;
        },
    };

    private static bool TryParse(string text, out (ComputeDevice Device, int Index) device)
    {
        device = default;
        var parts = text.Split(':');
        if (!Enum.TryParse(parts[0], ignoreCase: true, out device.Device) || !Enum.IsDefined(device.Device) || char.IsDigit(parts[0][0]))
            return false;
        return parts.Length == 1
            || (parts.Length == 2 && device.Device == ComputeDevice.Cuda
                && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out device.Index));
    }
}
