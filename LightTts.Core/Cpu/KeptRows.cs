using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace LightTts.Cpu;

/// <summary>How rows of floats are kept that are written once and read often.</summary>
internal abstract unsafe class KeptRows
{
    private const int Width = 16;

    private KeptRows()
    {
    }

    /// <summary>As they are.</summary>
    public static KeptRows Singles { get; } = new InSingles();

    /// <summary>As bfloat16.</summary>
    public static KeptRows Halves { get; } = new InHalves();

    /// <summary>As 8-bit numbers, with a scale for each row in front of them.</summary>
    public static KeptRows Bytes { get; } = new InBytes();

    /// <summary>Whether a row that is read is the one that was written.</summary>
    public bool IsExact => this == Singles;

    /// <summary>Bytes of a row of so many numbers.</summary>
    public abstract int Size(int count);

    /// <summary>Writes a row.</summary>
    public abstract void Write(float* from, byte* to, int count);

    /// <summary>Reads one.</summary>
    public abstract void Read(byte* from, float* to, int count);

    private sealed class InSingles : KeptRows
    {
        public override int Size(int count) => count * sizeof(float);

        public override void Write(float* from, byte* to, int count) => NativeMemory.Copy(from, to, (nuint)Size(count));

        public override void Read(byte* from, float* to, int count) => NativeMemory.Copy(from, to, (nuint)Size(count));
    }

    private sealed class InHalves : KeptRows
    {
        public override int Size(int count) => count * sizeof(ushort);

        public override void Write(float* from, byte* to, int count) => HalfRows.Narrow(from, (ushort*)to, count);

        public override void Read(byte* from, float* to, int count) => HalfRows.Widen((ushort*)from, to, count);
    }

    private sealed class InBytes : KeptRows
    {
        private const float Largest = 127;

        public override int Size(int count) => sizeof(float) + count;

        public override void Write(float* from, byte* to, int count)
        {
            var largest = MathF.Abs(TensorPrimitives.MaxMagnitude(new ReadOnlySpan<float>(from, count)));
            *(float*)to = largest / Largest;
            var inverse = largest > 0 ? Largest / largest : 0;
            var numbers = (sbyte*)to + sizeof(float);
            var k = 0;
            for (; k + Width <= count; k += Width)
            {
                var whole = Vector512.ConvertToInt32(Vector512.Round(Vector512.Load(from + k) * inverse));
                var shorts = Vector256.Narrow(whole.GetLower(), whole.GetUpper());
                Vector128.Narrow(shorts.GetLower(), shorts.GetUpper()).Store(numbers + k);
            }
            for (; k < count; k++)
                numbers[k] = (sbyte)MathF.Round(from[k] * inverse);
        }

        public override void Read(byte* from, float* to, int count)
        {
            var scale = *(float*)from;
            var numbers = (sbyte*)from + sizeof(float);
            var k = 0;
            for (; k + Width <= count; k += Width)
                (Vector512.ConvertToSingle(Wide(Vector128.Load(numbers + k))) * scale).Store(to + k);
            for (; k < count; k++)
                to[k] = numbers[k] * scale;
        }

        private static Vector512<int> Wide(Vector128<sbyte> numbers)
        {
            if (Avx512F.IsSupported)
                return Avx512F.ConvertToVector512Int32(numbers);
            Vector128<short> lower = Vector128.WidenLower(numbers), upper = Vector128.WidenUpper(numbers);
            return Vector512.Create(Vector256.Create(Vector128.WidenLower(lower), Vector128.WidenUpper(lower)),
                Vector256.Create(Vector128.WidenLower(upper), Vector128.WidenUpper(upper)));
        }
    }
}
