using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace LightTts.Cpu;

/// <summary>How a matrix is kept whose products are formed in 32 bits.</summary>
internal enum PanelFormat
{
    /// <summary><see cref="SingleNumbers"/>.</summary>
    Float32,

    /// <summary><see cref="HalfNumbers"/>: 8 significant bits, the range of 32.</summary>
    BFloat16,

    /// <summary><see cref="Half16Numbers"/>: 11 significant bits, up to 65,504.</summary>
    Float16,
}

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

/// <summary>As IEEE's 16 bits (<see cref="Half"/>), finite: nearer to 32 bits than bfloat16, at a few instructions more. .NET offers none of the
/// processor's own for it.</summary>
internal readonly unsafe struct Half16Numbers : IPanelNumbers
{
    public const float Largest = 65504;

    // Sign, exponent and fraction where 32 bits have them; exponents then lie 112 too low, small numbers without one included.
    private const int Mask = unchecked((int)0x8FFFE000);
    private const float Raise = 5.192296858534828e33f; // 2^112
    private const int Shift = 13;

    public static int Bytes => sizeof(ushort);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Wide(byte* panel, int at)
    {
        var halves = Vector256.Load((short*)panel + at);
        var words = Avx512F.IsSupported ? Avx512F.ConvertToVector512Int32(halves)
            : Vector512.Create(Vector256.WidenLower(halves), Vector256.WidenUpper(halves));
        return ((words << Shift) & Vector512.Create(Mask)).AsSingle() * Raise;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Narrow(byte* panel, int at)
    {
        var halves = Vector128.Load((short*)panel + at);
        var words = Avx2.IsSupported ? Avx2.ConvertToVector256Int32(halves)
            : Vector256.Create(Vector128.WidenLower(halves), Vector128.WidenUpper(halves));
        return ((words << Shift) & Vector256.Create(Mask)).AsSingle() * Raise;
    }

    /// <summary>A number rounded to the nearest, to even at halves.</summary>
    public static ushort Round(float value) => BitConverter.HalfToUInt16Bits((Half)value);
}
