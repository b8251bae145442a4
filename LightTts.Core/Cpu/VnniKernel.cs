using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace LightTts.Cpu;

/// <summary>The inner loops of <see cref="QuantizedMatrix"/> with the dot products of VNNI, which take one side without signs: the weights are
/// moved up by 128, and each row begins with what that adds, taken away.</summary>
internal static unsafe class VnniKernel
{
    /// <summary>Rows that are multiplied together: their sums, a group's weights, a row's inputs and the offset fill the 16 registers.</summary>
    public const int Rows = 6;

    private const int Panel = QuantizedMatrix.Panel;

    private static Vector256<byte> Offset => Vector256.Create((byte)128);

    /// <summary><see cref="Int8Kernel.Multiply"/> of one panel.</summary>
    public static void Multiply(sbyte* w, sbyte* x, int xStride, int* totals, int rows, int groups, int* sums)
    {
        if (rows == Rows)
        {
            Six(w, x, xStride, totals, groups, sums);
            return;
        }
        var row = 0;
        for (; row + 3 <= rows; row += 3)
            Three(w, x + (long)row * xStride, xStride, totals + row, groups, sums + row * Panel);
        for (; row < rows; row++)
            One(w, x + (long)row * xStride, totals[row], groups, sums + row * Panel);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Start(int total) => Vector256.Create(-128 * total);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<byte> Weights(sbyte* w) => Vector256.Load((byte*)w) ^ Offset;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Add(Vector256<int> sum, Vector256<byte> w, int* x) =>
        AvxVnni.MultiplyWideningAndAdd(sum, w, Vector256.Create(*x).AsSByte());

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void One(sbyte* w, sbyte* x, int total, int groups, int* sums)
    {
        // Two groups at a time, as a sum is not ready for the next product at once.
        var (c0, c1) = (Start(total), Start(total));
        Vector256<int> d0 = default, d1 = default;
        var from = (int*)x;
        var k = 0;
        for (; k + 2 <= groups; k += 2, w += 128)
        {
            c0 = Add(c0, Weights(w), from + k);
            c1 = Add(c1, Weights(w + 32), from + k);
            d0 = Add(d0, Weights(w + 64), from + k + 1);
            d1 = Add(d1, Weights(w + 96), from + k + 1);
        }
        if (k < groups)
        {
            c0 = Add(c0, Weights(w), from + k);
            c1 = Add(c1, Weights(w + 32), from + k);
        }
        (c0 + d0).Store(sums);
        (c1 + d1).Store(sums + 8);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Three(sbyte* w, sbyte* x, int xStride, int* totals, int groups, int* sums)
    {
        int* x0 = (int*)x, x1 = (int*)(x + xStride), x2 = (int*)(x + 2L * xStride);
        Vector256<int> c00 = Start(totals[0]), c01 = c00, c10 = Start(totals[1]), c11 = c10, c20 = Start(totals[2]), c21 = c20;
        for (var k = 0; k < groups; k++, w += 64)
        {
            var (w0, w1) = (Weights(w), Weights(w + 32));
            var v = Vector256.Create(x0[k]).AsSByte();
            c00 = AvxVnni.MultiplyWideningAndAdd(c00, w0, v);
            c01 = AvxVnni.MultiplyWideningAndAdd(c01, w1, v);
            v = Vector256.Create(x1[k]).AsSByte();
            c10 = AvxVnni.MultiplyWideningAndAdd(c10, w0, v);
            c11 = AvxVnni.MultiplyWideningAndAdd(c11, w1, v);
            v = Vector256.Create(x2[k]).AsSByte();
            c20 = AvxVnni.MultiplyWideningAndAdd(c20, w0, v);
            c21 = AvxVnni.MultiplyWideningAndAdd(c21, w1, v);
        }
        c00.Store(sums);
        c01.Store(sums + 8);
        c10.Store(sums + 16);
        c11.Store(sums + 24);
        c20.Store(sums + 32);
        c21.Store(sums + 40);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Six(sbyte* w, sbyte* x, int xStride, int* totals, int groups, int* sums)
    {
        int* x0 = (int*)x, x1 = (int*)(x + xStride), x2 = (int*)(x + 2L * xStride), x3 = (int*)(x + 3L * xStride), x4 = (int*)(x + 4L * xStride),
            x5 = (int*)(x + 5L * xStride);
        Vector256<int> c00 = Start(totals[0]), c01 = c00, c10 = Start(totals[1]), c11 = c10, c20 = Start(totals[2]), c21 = c20,
            c30 = Start(totals[3]), c31 = c30, c40 = Start(totals[4]), c41 = c40, c50 = Start(totals[5]), c51 = c50;
        for (var k = 0; k < groups; k++, w += 64)
        {
            var (w0, w1) = (Weights(w), Weights(w + 32));
            var v = Vector256.Create(x0[k]).AsSByte();
            c00 = AvxVnni.MultiplyWideningAndAdd(c00, w0, v);
            c01 = AvxVnni.MultiplyWideningAndAdd(c01, w1, v);
            v = Vector256.Create(x1[k]).AsSByte();
            c10 = AvxVnni.MultiplyWideningAndAdd(c10, w0, v);
            c11 = AvxVnni.MultiplyWideningAndAdd(c11, w1, v);
            v = Vector256.Create(x2[k]).AsSByte();
            c20 = AvxVnni.MultiplyWideningAndAdd(c20, w0, v);
            c21 = AvxVnni.MultiplyWideningAndAdd(c21, w1, v);
            v = Vector256.Create(x3[k]).AsSByte();
            c30 = AvxVnni.MultiplyWideningAndAdd(c30, w0, v);
            c31 = AvxVnni.MultiplyWideningAndAdd(c31, w1, v);
            v = Vector256.Create(x4[k]).AsSByte();
            c40 = AvxVnni.MultiplyWideningAndAdd(c40, w0, v);
            c41 = AvxVnni.MultiplyWideningAndAdd(c41, w1, v);
            v = Vector256.Create(x5[k]).AsSByte();
            c50 = AvxVnni.MultiplyWideningAndAdd(c50, w0, v);
            c51 = AvxVnni.MultiplyWideningAndAdd(c51, w1, v);
        }
        c00.Store(sums);
        c01.Store(sums + 8);
        c10.Store(sums + 16);
        c11.Store(sums + 24);
        c20.Store(sums + 32);
        c21.Store(sums + 40);
        c30.Store(sums + 48);
        c31.Store(sums + 56);
        c40.Store(sums + 64);
        c41.Store(sums + 72);
        c50.Store(sums + 80);
        c51.Store(sums + 88);
    }
}
