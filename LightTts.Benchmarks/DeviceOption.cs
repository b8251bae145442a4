using System.CommandLine;

namespace LightTts.Benchmarks;

/// <summary><c>--device</c>: auto, cpu, cuda, one card of several as cuda:1, or a replica on each of several as cuda:0,cuda:1.</summary>
internal static class DeviceOption
{
    public static Option<DeviceChoice> Create() => new("--device")
    {
        Description = "auto, cpu, cuda, cuda:1, or several as cuda:0,cuda:1.",
        DefaultValueFactory = _ => new DeviceChoice(ComputeDevice.Cpu, 0, null),
        CustomParser = result =>
        {
            var text = result.Tokens[0].Value;
            if (text.Equals("auto", StringComparison.OrdinalIgnoreCase))
                return new DeviceChoice(ComputeDevice.Auto, 0, null);
            List<TtsDevice> found = [];
            foreach (var part in text.Split(','))
            {
                if (!TtsDevice.TryParse(part, null, out var device))
                {
                    result.AddError($"--device is '{text}'; use auto, cpu, cuda, cuda:1, or several as cuda:0,cuda:1.");
                    return default;
                }
                found.Add(device);
            }
            return new DeviceChoice(found[0].Kind, found[0].Index, found.Count > 1 ? found : null);
        },
    };
}

/// <summary>Where to run.</summary>
/// <param name="Device">The first.</param>
/// <param name="Index">Which of the cards it is.</param>
/// <param name="All">All of several; null for one.</param>
internal readonly record struct DeviceChoice(ComputeDevice Device, int Index, IReadOnlyList<TtsDevice>? All);
