using System.Runtime.Intrinsics;

namespace LightTts.Cpu;

/// <summary>Rows of floats as bfloat16 (<see cref="HalfNumbers"/>) and back: to the nearest, to even at halves; the NaN that arithmetic gives stays
/// one.</summary>
internal static unsafe class HalfRows
{
    private const int Width = 16;

    /// <summary>Keeps the upper halves of rounded numbers.</summary>
    public static void Narrow(float* from, ushort* to, int count)
    {
        var k = 0;
        for (; k + Width <= count; k += Width)
        {
            var rounded = Rounded(from + k) >>> 16;
            Vector256.Narrow(rounded.GetLower(), rounded.GetUpper()).Store(to + k);
        }
        for (; k < count; k++)
            to[k] = HalfNumbers.Round(from[k]);
    }

    /// <summary>Gives numbers the values that they would have after <see cref="Narrow"/> and <see cref="Widen"/>.</summary>
    public static void Round(float* numbers, int count)
    {
        var k = 0;
        for (; k + Width <= count; k += Width)
            (Rounded(numbers + k) & Vector512.Create(0xFFFF0000)).AsSingle().Store(numbers + k);
        for (; k < count; k++)
            numbers[k] = Single(HalfNumbers.Round(numbers[k]));
    }

    /// <summary>The numbers in 32 bits.</summary>
    public static void Widen(ushort* from, float* to, int count)
    {
        var k = 0;
        for (; k + Width <= count; k += Width)
            HalfNumbers.Wide((byte*)from, k).Store(to + k);
        for (; k < count; k++)
            to[k] = Single(from[k]);
    }

    private static float Single(ushort half) => BitConverter.UInt32BitsToSingle((uint)half << 16);

    /// <summary>16 numbers, each rounded in its upper half.</summary>
    private static Vector512<uint> Rounded(float* from)
    {
        var bits = Vector512.Load(from).AsUInt32();
        return bits + Vector512.Create(0x7FFFu) + ((bits >>> 16) & Vector512<uint>.One);
    }
}
