using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice;

/// <summary>Divides work on CPU tensors over threads.</summary>
internal static unsafe class SimdWork
{
    /// <summary>The address of a contiguous CPU tensor's first element, storage offset included.</summary>
    public static float* Pointer(this Tensor tensor)
    {
        fixed (byte* start = &MemoryMarshal.GetReference(tensor.bytes))
            return (float*)start;
    }

    /// <summary>Calls back with ranges that together are 0 to <paramref name="count"/>, cut at multiples of <paramref name="grain"/>.</summary>
    public static void Split(int count, int grain, Action<int, int> range)
    {
        var parts = Math.Min(get_num_threads(), count / grain);
        if (parts <= 1)
        {
            range(0, count);
            return;
        }
        var share = (count / grain + parts - 1) / parts * grain;
        Parallel.For(0, parts, part => range(Math.Min(part * share, count), part == parts - 1 ? count : Math.Min((part + 1) * share, count)));
    }
}
