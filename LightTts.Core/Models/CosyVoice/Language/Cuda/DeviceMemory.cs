using LightTts.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Language.Cuda;

/// <summary>Plain bytes on a device, of libtorch's memory, that stay where they are.</summary>
internal sealed class DeviceMemory : IDisposable
{
    private readonly Tensor _bytes;

    /// <summary>Zeros.</summary>
    public DeviceMemory(long bytes, Device device)
    {
        Bytes = bytes;
        _bytes = zeros([Math.Max(1, bytes)], ScalarType.Byte, device).DetachFromDisposeScope();
        Address = _bytes.Address();
    }

    public long Bytes { get; }

    public nint Address { get; }

    public void Dispose() => _bytes.Dispose();
}
