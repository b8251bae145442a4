using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace LightTts.Cpu;

/// <summary>How the numbers of a panel are kept; whatever it is, they are multiplied and added in 32 bits.</summary>
internal unsafe interface IPanelNumbers
{
    /// <summary>Bytes of a number.</summary>
    static abstract int Bytes { get; }

    /// <summary>16 numbers from a place on.</summary>
    static abstract Vector512<float> Wide(byte* panel, int at);

    /// <summary>8 numbers from a place on.</summary>
    static abstract Vector256<float> Narrow(byte* panel, int at);
}

/// <summary>In 32 bits.</summary>
internal readonly unsafe struct SingleNumbers : IPanelNumbers
{
    public static int Bytes => sizeof(float);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Wide(byte* panel, int at) => Vector512.Load((float*)panel + at);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Narrow(byte* panel, int at) => Vector256.Load((float*)panel + at);
}

/// <summary>As bfloat16, the upper half of 32 bits: half of the memory, which is what one row's product waits for.</summary>
internal readonly unsafe struct HalfNumbers : IPanelNumbers
{
    public static int Bytes => sizeof(ushort);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Wide(byte* panel, int at)
    {
        var halves = Vector256.Load((ushort*)panel + at);
        var words = Avx512F.IsSupported ? Avx512F.ConvertToVector512UInt32(halves)
            : Vector512.Create(Vector256.WidenLower(halves), Vector256.WidenUpper(halves));
        return (words << 16).AsSingle();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Narrow(byte* panel, int at)
    {
        var halves = Vector128.Load((ushort*)panel + at);
        var words = Avx2.IsSupported ? Avx2.ConvertToVector256Int32(halves).AsUInt32()
            : Vector256.Create(Vector128.WidenLower(halves), Vector128.WidenUpper(halves));
        return (words << 16).AsSingle();
    }

    /// <summary>A number rounded to the nearest, to even at halves.</summary>
    public static ushort Round(float value)
    {
        var bits = BitConverter.SingleToUInt32Bits(value);
        return float.IsNaN(value) ? (ushort)(bits >> 16 | 0x40) : (ushort)((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
    }
}
