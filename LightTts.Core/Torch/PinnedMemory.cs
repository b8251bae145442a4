using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace LightTts.Torch;

/// <summary>Main memory that the device reads and writes by itself, at the address by which the host knows it.</summary>
internal sealed unsafe class PinnedMemory : IDisposable
{
    private readonly Tensor _bytes;

    public PinnedMemory(long bytes)
    {
        using var plain = zeros([Math.Max(1, bytes)], ScalarType.Byte);
        _bytes = plain.pin_memory().DetachFromDisposeScope();
        fixed (byte* start = &MemoryMarshal.GetReference(_bytes.bytes))
            Pointer = start;
        Bytes = bytes;
    }

    public long Bytes { get; }

    public byte* Pointer { get; }

    /// <summary>The same, as the device is told it.</summary>
    public nint Address => (nint)Pointer;

    /// <summary>A part of it.</summary>
    public Span<T> Part<T>(int start, int count) where T : unmanaged => new(Pointer + start, count);

    public void Dispose() => _bytes.Dispose();
}
