using LightTts.Cuda;
using LightTts.Torch;
using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Language.Cuda;

/// <summary>Inputs of steps on their way to the device: written in two places of main memory that take turns, as one may not have been copied yet
/// when the next one is written.</summary>
internal sealed class StepInputs(long bytes, Device device) : IDisposable
{
    private readonly PinnedMemory _first = new(bytes);
    private readonly PinnedMemory _second = new(bytes);
    private readonly DeviceMemory _device = new(bytes, device);

    public long Bytes => bytes;

    /// <summary>Where the steps read them.</summary>
    public nint Address => _device.Address;

    /// <summary>Where they are written, for the even and the odd ones of the steps.</summary>
    public PinnedMemory Host(int turn) => turn == 0 ? _first : _second;

    /// <summary>Copies a step's, behind all that was launched before.</summary>
    public void Copy(int turn, in StepLayout layout, nint stream) =>
        CudaDriver.CopyToDevice(Address, Host(turn).Address, layout.Bytes, stream);

    public void Dispose()
    {
        _first.Dispose();
        _second.Dispose();
        _device.Dispose();
    }
}
