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
}
