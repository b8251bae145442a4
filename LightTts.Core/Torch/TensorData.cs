using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace LightTts.Torch;

/// <summary>Plain copies between tensors and managed memory.</summary>
internal static class TensorData
{
    /// <summary>The address of a contiguous CPU tensor's first element, storage offset included.</summary>
    public static unsafe float* Pointer(this Tensor tensor)
    {
        fixed (byte* start = &MemoryMarshal.GetReference(tensor.bytes))
            return (float*)start;
    }

    /// <summary>The address of a contiguous tensor's first element, on whichever device it lies; 0 may be that of none.</summary>
    public static nint DataPointer(this Tensor tensor) => Native.DataOf(tensor.Handle);

    /// <summary>Waits until the calling thread's current stream of a CUDA device has done its work, and for no other stream.</summary>
    public static void WaitForStream(Device device)
    {
        // A copy to the host is the one thing that TorchSharp lets wait for a single stream.
        using var one = ones([1], TorchSharp.torch.ScalarType.Float32, device);
        using var copied = one.cpu();
    }

    /// <summary>All elements of a tensor as 32-bit floats, row-major.</summary>
    public static float[] ToSingles(this Tensor tensor)
    {
        using var host = tensor.to(ScalarType.Float32, CPU).contiguous();
        return MemoryMarshal.Cast<byte, float>(host.bytes).ToArray();
    }

    /// <summary>A new tensor with a copy of these elements.</summary>
    public static Tensor FromSingles(ReadOnlySpan<float> values, Device device, params long[] shape)
    {
        var host = empty(shape, ScalarType.Float32);
        values.CopyTo(MemoryMarshal.Cast<byte, float>(host.bytes));
        if (device.type == TorchSharp.DeviceType.CPU)
            return host;
        using (host)
            return host.to(device);
    }

    /// <summary>A new tensor with a copy of these numbers, [n]. A device is not waited for: it takes them when its stream gets there.</summary>
    public static Tensor FromIntegers(long[] values, Device device)
    {
        var host = tensor(values);
        if (device.type == TorchSharp.DeviceType.CPU)
            return host;
        using (host)
        using (var pinned = host.pin_memory()) // kept by libtorch until the copy is done
            return pinned.to(device, non_blocking: true);
    }

    /// <summary>TorchSharp keeps this to itself for other devices than the CPU.</summary>
    private static unsafe class Native
    {
        private static readonly delegate* unmanaged<nint, nint> s_data = (delegate* unmanaged<nint, nint>)NativeLibrary.GetExport(
            NativeLibrary.Load("LibTorchSharp", typeof(TorchSharp.torch).Assembly, null), "THSTensor_data");

        public static nint DataOf(nint tensor) => s_data(tensor);
    }
}
