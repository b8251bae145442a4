using LightTts.Cuda;
using LightTts.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Language.Cuda;

/// <summary>Weights in one piece of a device's memory, side by side in the order in which a step reads them, each brought there once.</summary>
internal sealed class WeightArena : IDisposable
{
    private const int Alignment = 256; // bytes; lines of the caches, and the widest loads

    private readonly DeviceMemory _memory;
    private readonly nint[] _addresses;

    /// <summary>Copies them.</summary>
    /// <param name="weights">Contiguous, in main memory; those of a group lie without a gap.</param>
    /// <param name="device">The CUDA device.</param>
    public WeightArena(IReadOnlyList<Tensor[]> weights, Device device)
    {
        _memory = new DeviceMemory(weights.Sum(Bytes), device);
        _addresses = new nint[weights.Count];
        var stream = CudaStream.CurrentHandle(device.index)!.Value;
        var start = _memory.Address;
        for (var i = 0; i < weights.Count; i++)
        {
            var at = _addresses[i] = start;
            foreach (var part in weights[i])
            {
                CudaDriver.CopyToDevice(at, part.Address(), Bytes(part), stream);
                at += (nint)Bytes(part);
            }
            start += (nint)Bytes(weights[i]);
        }
        CudaDriver.Synchronize(stream);
    }

    /// <summary>Where each group begins.</summary>
    public IReadOnlyList<nint> Addresses => _addresses;

    public void Dispose() => _memory.Dispose();

    private static long Bytes(Tensor tensor) => tensor.NumberOfElements * tensor.ElementSize;

    /// <summary>What a group takes, up to where the next one begins.</summary>
    private static long Bytes(Tensor[] group) => (group.Sum(part => Bytes(part)) + Alignment - 1) / Alignment * Alignment;
}
