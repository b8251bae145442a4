using LightTts.Torch;
using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Language.Cuda;

/// <summary>What steps draw: on the device for the step that follows, and in main memory for the host; two halves, for steps that take turns, as the
/// second of them is under way before the host has read what the first one drew.</summary>
internal sealed unsafe class DrawnTokens(Device device) : IDisposable
{
    /// <summary>Draws of a step at the most.</summary>
    public const int Capacity = 256;

    private readonly PinnedMemory _host = new(2 * Capacity * sizeof(int));
    private readonly DeviceMemory _device = new(2 * Capacity * sizeof(int), device);

    /// <summary>[2, capacity], as the device is told it.</summary>
    public nint Host => _host.Address;

    /// <summary>[2, capacity].</summary>
    public nint Device => _device.Address;

    /// <summary>What a step that is done drew, by the number of its place.</summary>
    public int this[int place] => ((int*)_host.Pointer)[place];

    public void Dispose()
    {
        _host.Dispose();
        _device.Dispose();
    }
}
