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
            var bits = Vector512.Load(from + k).AsUInt32();
            var rounded = (bits + Vector512.Create(0x7FFFu) + ((bits >>> 16) & Vector512<uint>.One)) >>> 16;
            Vector256.Narrow(rounded.GetLower(), rounded.GetUpper()).Store(to + k);
        }
        for (; k < count; k++)
            to[k] = HalfNumbers.Round(from[k]);
    }

    /// <summary>The numbers in 32 bits.</summary>
    public static void Widen(ushort* from, float* to, int count)
    {
        var k = 0;
        for (; k + Width <= count; k += Width)
            HalfNumbers.Wide((byte*)from, k).Store(to + k);
        for (; k < count; k++)
            to[k] = BitConverter.UInt32BitsToSingle((uint)from[k] << 16);
    }
}
