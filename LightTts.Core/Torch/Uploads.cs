using System.Runtime.InteropServices;
using LightTts.Cuda;
using static TorchSharp.torch;

namespace LightTts.Torch;

/// <summary>Small arrays of numbers on their way to a device, which is not waited for: it takes them when its stream gets there. On CUDA they lie in
/// a ring of pinned memory until then, as libtorch's own way there (a pinned tensor for each) takes the host five times as long.</summary>
/// <param name="device">Where they go.</param>
internal sealed unsafe class Uploads(Device device) : IDisposable
{
    private const int Slots = 32, SlotBytes = 64 * 1024; // what a batch of 32 chunks with ten seconds before each needs

    private readonly bool _isOwn = device.type == TorchSharp.DeviceType.CUDA
        && CudaDriver.IsSupported && CudaStream.IsSupported && DeviceAddress.IsSupported;
    private readonly Lock _lock = new();
    private readonly CudaEvent?[] _taken = new CudaEvent?[Slots];
    private PinnedMemory? _memory;
    private int _next;

    /// <summary>A new tensor with a copy of these numbers, [n].</summary>
    public Tensor Integers(long[] values)
    {
        var bytes = values.Length * sizeof(long);
        if (!_isOwn || bytes is 0 or > SlotBytes || CudaStream.CurrentHandle(device.index) is not { } stream)
            return TensorData.FromIntegers(values, device);
        var target = empty(values.Length, ScalarType.Int64, device);
        lock (_lock)
        {
            _memory ??= new PinnedMemory(Slots * SlotBytes);
            var slot = _next;
            _next = (_next + 1) % Slots;
            if (_taken[slot] is { } before)
                before.Wait(); // long done, but where a device is far behind
            else
                _taken[slot] = new CudaEvent();
            MemoryMarshal.AsBytes(values.AsSpan()).CopyTo(new Span<byte>(_memory.Pointer + slot * SlotBytes, SlotBytes));
            CudaDriver.CopyToDevice(target.Address(), _memory.Address + slot * SlotBytes, bytes, stream);
            _taken[slot]!.Record(stream);
        }
        return target;
    }

    /// <summary>When the device has taken everything, or is lost.</summary>
    public void Dispose()
    {
        foreach (var taken in _taken.OfType<CudaEvent>())
        {
            try
            {
                taken.Wait();
            }
            catch (ExternalException)
            {
            }
            taken.Dispose();
        }
        _memory?.Dispose();
    }
}
