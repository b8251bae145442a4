using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace LightTts.Cpu;

/// <summary>The inner loops of <see cref="QuantizedMatrix"/>: the sums of a panel of 16 outputs, or two, for a few rows. A panel is stored in
/// groups of four inputs, of which each output has its four side by side: one 32-bit lane.</summary>
internal static unsafe class Int8Kernel
{
    /// <summary>Sums that one call gives, at the most.</summary>
    public const int MostSums = WideVnniKernel.Rows * WideVnniKernel.Panels * Panel;

    private const int Together = 4;

    private const int Panel = QuantizedMatrix.Panel;

    /// <param name="path">How.</param>
    /// <param name="w">A panel, and the next behind it.</param>
    /// <param name="panels">1 to <see cref="Int8Paths.Panels"/>.</param>
    /// <param name="x">Rows of inputs, rounded up to groups of four.</param>
    /// <param name="xStride">Numbers from one row to the next.</param>
    /// <param name="totals">The sum of each row's inputs.</param>
    /// <param name="rows">1 to <see cref="Int8Paths.Rows"/>.</param>
    /// <param name="groups">Groups of four inputs.</param>
    /// <param name="sums">[rows, panels, 16].</param>
    public static void Multiply(Int8Path path, sbyte* w, int panels, sbyte* x, int xStride, int* totals, int rows, int groups, int* sums)
    {
        switch (path)
        {
            case Int8Path.Avx512Vnni:
                WideVnniKernel.Multiply(w, 4L * Panel * groups, panels, x, xStride, totals, rows, groups, sums);
                break;
            case Int8Path.AvxVnni:
                VnniKernel.Multiply(w, x, xStride, totals, rows, groups, sums);
                break;
            case Int8Path.Avx2:
                Avx2Rows(w, x, xStride, rows, groups, sums);
                break;
            case Int8Path.ArmDotProduct:
                for (var row = 0; row < rows; row++)
                    Arm(w, x + (long)row * xStride, groups, sums + row * Panel);
                break;
            default:
                for (var row = 0; row < rows; row++)
                    Portable(w, x + (long)row * xStride, groups, sums + row * Panel);
                break;
        }
    }

    private static void Avx2Rows(sbyte* w, sbyte* x, int xStride, int rows, int groups, int* sums)
    {
        var row = 0;
        for (; row + Together <= rows; row += Together)
            Four(w, x + (long)row * xStride, xStride, groups, sums + row * Panel);
        for (; row < rows; row++)
            One(w, x + (long)row * xStride, groups, sums + row * Panel);
    }

    /// <summary>Adds the products of 8 lanes of four.</summary>
    /// <param name="sum">So far.</param>
    /// <param name="size">The inputs without their signs.</param>
    /// <param name="x">The inputs.</param>
    /// <param name="w">The weights, none of them -128: with the inputs' signs they are still 8 bits, and two products 16.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Add(Vector256<int> sum, Vector256<byte> size, Vector256<sbyte> x, Vector256<sbyte> w) =>
        Avx2.Add(sum, Avx2.MultiplyAddAdjacent(Avx2.MultiplyAddAdjacent(size, Avx2.Sign(w, x)), Vector256<short>.One));

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void One(sbyte* w, sbyte* x, int groups, int* sums)
    {
        Vector256<int> c0 = default, c1 = default;
        for (var k = 0; k < groups; k++, w += 64)
        {
            var x0 = Vector256.Create(((int*)x)[k]).AsSByte();
            var size0 = Avx2.Abs(x0);
            c0 = Add(c0, size0, x0, Vector256.Load(w));
            c1 = Add(c1, size0, x0, Vector256.Load(w + 32));
        }
        c0.Store(sums);
        c1.Store(sums + 8);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Four(sbyte* w, sbyte* x, int xStride, int groups, int* sums)
    {
        int* x0 = (int*)x, x1 = (int*)(x + xStride), x2 = (int*)(x + 2L * xStride), x3 = (int*)(x + 3L * xStride);
        Vector256<int> c00 = default, c01 = default, c10 = default, c11 = default, c20 = default, c21 = default, c30 = default, c31 = default;
        for (var k = 0; k < groups; k++, w += 64)
        {
            var (w0, w1) = (Vector256.Load(w), Vector256.Load(w + 32));
            var v = Vector256.Create(x0[k]).AsSByte();
            var size = Avx2.Abs(v);
            c00 = Add(c00, size, v, w0);
            c01 = Add(c01, size, v, w1);
            v = Vector256.Create(x1[k]).AsSByte();
            size = Avx2.Abs(v);
            c10 = Add(c10, size, v, w0);
            c11 = Add(c11, size, v, w1);
            v = Vector256.Create(x2[k]).AsSByte();
            size = Avx2.Abs(v);
            c20 = Add(c20, size, v, w0);
            c21 = Add(c21, size, v, w1);
            v = Vector256.Create(x3[k]).AsSByte();
            size = Avx2.Abs(v);
            c30 = Add(c30, size, v, w0);
            c31 = Add(c31, size, v, w1);
        }
        c00.Store(sums);
        c01.Store(sums + 8);
        c10.Store(sums + 16);
        c11.Store(sums + 24);
        c20.Store(sums + 32);
        c21.Store(sums + 40);
        c30.Store(sums + 48);
        c31.Store(sums + 56);
    }

    private static void Arm(sbyte* w, sbyte* x, int groups, int* sums)
    {
        Vector128<int> c0 = default, c1 = default, c2 = default, c3 = default;
        for (var k = 0; k < groups; k++, w += 64)
        {
            var v = Vector128.Create(((int*)x)[k]).AsSByte();
            c0 = Dp.DotProduct(c0, v, Vector128.Load(w));
            c1 = Dp.DotProduct(c1, v, Vector128.Load(w + 16));
            c2 = Dp.DotProduct(c2, v, Vector128.Load(w + 32));
            c3 = Dp.DotProduct(c3, v, Vector128.Load(w + 48));
        }
        c0.Store(sums);
        c1.Store(sums + 4);
        c2.Store(sums + 8);
        c3.Store(sums + 12);
    }

    private static void Portable(sbyte* w, sbyte* x, int groups, int* sums)
    {
        NativeMemory.Clear(sums, Panel * sizeof(int));
        for (var k = 0; k < groups; k++, w += 64, x += 4)
            for (var n = 0; n < Panel; n++)
                sums[n] += x[0] * w[4 * n] + x[1] * w[4 * n + 1] + x[2] * w[4 * n + 2] + x[3] * w[4 * n + 3];
    }
}
