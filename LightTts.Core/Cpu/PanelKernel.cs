using System.Runtime.Intrinsics;

namespace LightTts.Cpu;

/// <summary>The inner loops of <see cref="PackedMatrix"/>: a block of rows times a block of panels, kept in registers, added to the output.</summary>
/// <typeparam name="T">How the panels' numbers are kept.</typeparam>
/// <param name="inputs">Length of the sums.</param>
/// <param name="panelStride">Numbers from one panel to the next.</param>
/// <param name="xStride">Floats from one row of inputs to the next.</param>
/// <param name="yStride">Floats from one row of outputs to the next.</param>
internal readonly unsafe struct PanelKernel<T>(int inputs, long panelStride, int xStride, int yStride) where T : struct, IPanelNumbers
{
    private readonly long _panelBytes = panelStride * T.Bytes;

    /// <summary>By the processor's widest registers; the result has the same bits either way.</summary>
    /// <param name="w">The panels.</param>
    /// <param name="panels">How many.</param>
    /// <param name="x">Rows of inputs.</param>
    /// <param name="rows">How many.</param>
    /// <param name="y">Rows of outputs, which are added to.</param>
    public void Run(byte* w, int panels, float* x, int rows, float* y)
    {
        if (Vector512.IsHardwareAccelerated)
            Wide(w, panels, x, rows, y);
        else
            Narrow(w, panels, x, rows, y);
    }

    /// <summary>For 512-bit registers: a panel is one register wide.</summary>
    public void Wide(byte* w, int panels, float* x, int rows, float* y)
    {
        if (rows == 1 && panels == 8)
        {
            Wide1X8(w, x, y);
            return;
        }

        var panel = 0;
        for (; panel + 4 <= panels; panel += 4)
        {
            var wp = w + panel * _panelBytes;
            var row = 0;
            for (; row + 4 <= rows; row += 4)
                Wide4X4(wp, x + (long)row * xStride, y + (long)row * yStride + panel * 16);
            for (; row < rows; row++)
                Wide1X4(wp, x + (long)row * xStride, y + (long)row * yStride + panel * 16);
        }

        for (; panel < panels; panel++)
        {
            var row = 0;
            for (; row + 8 <= rows; row += 8)
                Wide8X1(w + panel * _panelBytes, x + (long)row * xStride, y + (long)row * yStride + panel * 16);
            for (; row < rows; row++)
                Wide1X1(w + panel * _panelBytes, x + (long)row * xStride, y + (long)row * yStride + panel * 16);
        }
    }

    /// <summary>For 256-bit registers: a panel is two registers wide.</summary>
    public void Narrow(byte* w, int panels, float* x, int rows, float* y)
    {
        for (var panel = 0; panel < panels; panel++)
        {
            var wp = w + panel * _panelBytes;
            var row = 0;
            for (; row + 4 <= rows; row += 4)
                Narrow4X1(wp, x + (long)row * xStride, y + (long)row * yStride + panel * 16);
            for (; row < rows; row++)
                Narrow1X1(wp, x + (long)row * xStride, y + (long)row * yStride + panel * 16);
        }
    }

    private void Wide1X8(byte* w, float* x, float* y)
    {
        byte* w1 = w + _panelBytes, w2 = w + 2 * _panelBytes, w3 = w + 3 * _panelBytes, w4 = w + 4 * _panelBytes, w5 = w + 5 * _panelBytes,
            w6 = w + 6 * _panelBytes, w7 = w + 7 * _panelBytes;
        var c00 = Vector512.Load(y);
        var c01 = Vector512.Load(y + 16);
        var c02 = Vector512.Load(y + 32);
        var c03 = Vector512.Load(y + 48);
        var c04 = Vector512.Load(y + 64);
        var c05 = Vector512.Load(y + 80);
        var c06 = Vector512.Load(y + 96);
        var c07 = Vector512.Load(y + 112);
        for (var k = 0; k < inputs; k++)
        {
            var v0 = T.Wide(w, k * 16);
            var v1 = T.Wide(w1, k * 16);
            var v2 = T.Wide(w2, k * 16);
            var v3 = T.Wide(w3, k * 16);
            var v4 = T.Wide(w4, k * 16);
            var v5 = T.Wide(w5, k * 16);
            var v6 = T.Wide(w6, k * 16);
            var v7 = T.Wide(w7, k * 16);
            var b0 = Vector512.Create(x[k]);
            c00 = Vector512.FusedMultiplyAdd(b0, v0, c00);
            c01 = Vector512.FusedMultiplyAdd(b0, v1, c01);
            c02 = Vector512.FusedMultiplyAdd(b0, v2, c02);
            c03 = Vector512.FusedMultiplyAdd(b0, v3, c03);
            c04 = Vector512.FusedMultiplyAdd(b0, v4, c04);
            c05 = Vector512.FusedMultiplyAdd(b0, v5, c05);
            c06 = Vector512.FusedMultiplyAdd(b0, v6, c06);
            c07 = Vector512.FusedMultiplyAdd(b0, v7, c07);
        }

        c00.Store(y);
        c01.Store(y + 16);
        c02.Store(y + 32);
        c03.Store(y + 48);
        c04.Store(y + 64);
        c05.Store(y + 80);
        c06.Store(y + 96);
        c07.Store(y + 112);
    }

    private void Wide4X4(byte* w, float* x, float* y)
    {
        byte* w1 = w + _panelBytes, w2 = w + 2 * _panelBytes, w3 = w + 3 * _panelBytes;
        float* x1 = x + xStride, x2 = x + 2 * (long)xStride, x3 = x + 3 * (long)xStride;
        var c00 = Vector512.Load(y);
        var c01 = Vector512.Load(y + 16);
        var c02 = Vector512.Load(y + 32);
        var c03 = Vector512.Load(y + 48);
        var c10 = Vector512.Load(y + yStride);
        var c11 = Vector512.Load(y + yStride + 16);
        var c12 = Vector512.Load(y + yStride + 32);
        var c13 = Vector512.Load(y + yStride + 48);
        var c20 = Vector512.Load(y + 2 * (long)yStride);
        var c21 = Vector512.Load(y + 2 * (long)yStride + 16);
        var c22 = Vector512.Load(y + 2 * (long)yStride + 32);
        var c23 = Vector512.Load(y + 2 * (long)yStride + 48);
        var c30 = Vector512.Load(y + 3 * (long)yStride);
        var c31 = Vector512.Load(y + 3 * (long)yStride + 16);
        var c32 = Vector512.Load(y + 3 * (long)yStride + 32);
        var c33 = Vector512.Load(y + 3 * (long)yStride + 48);
        for (var k = 0; k < inputs; k++)
        {
            var v0 = T.Wide(w, k * 16);
            var v1 = T.Wide(w1, k * 16);
            var v2 = T.Wide(w2, k * 16);
            var v3 = T.Wide(w3, k * 16);
            var b0 = Vector512.Create(x[k]);
            c00 = Vector512.FusedMultiplyAdd(b0, v0, c00);
            c01 = Vector512.FusedMultiplyAdd(b0, v1, c01);
            c02 = Vector512.FusedMultiplyAdd(b0, v2, c02);
            c03 = Vector512.FusedMultiplyAdd(b0, v3, c03);
            var b1 = Vector512.Create(x1[k]);
            c10 = Vector512.FusedMultiplyAdd(b1, v0, c10);
            c11 = Vector512.FusedMultiplyAdd(b1, v1, c11);
            c12 = Vector512.FusedMultiplyAdd(b1, v2, c12);
            c13 = Vector512.FusedMultiplyAdd(b1, v3, c13);
            var b2 = Vector512.Create(x2[k]);
            c20 = Vector512.FusedMultiplyAdd(b2, v0, c20);
            c21 = Vector512.FusedMultiplyAdd(b2, v1, c21);
            c22 = Vector512.FusedMultiplyAdd(b2, v2, c22);
            c23 = Vector512.FusedMultiplyAdd(b2, v3, c23);
            var b3 = Vector512.Create(x3[k]);
            c30 = Vector512.FusedMultiplyAdd(b3, v0, c30);
            c31 = Vector512.FusedMultiplyAdd(b3, v1, c31);
            c32 = Vector512.FusedMultiplyAdd(b3, v2, c32);
            c33 = Vector512.FusedMultiplyAdd(b3, v3, c33);
        }

        c00.Store(y);
        c01.Store(y + 16);
        c02.Store(y + 32);
        c03.Store(y + 48);
        c10.Store(y + yStride);
        c11.Store(y + yStride + 16);
        c12.Store(y + yStride + 32);
        c13.Store(y + yStride + 48);
        c20.Store(y + 2 * (long)yStride);
        c21.Store(y + 2 * (long)yStride + 16);
        c22.Store(y + 2 * (long)yStride + 32);
        c23.Store(y + 2 * (long)yStride + 48);
        c30.Store(y + 3 * (long)yStride);
        c31.Store(y + 3 * (long)yStride + 16);
        c32.Store(y + 3 * (long)yStride + 32);
        c33.Store(y + 3 * (long)yStride + 48);
    }

    private void Wide1X4(byte* w, float* x, float* y)
    {
        byte* w1 = w + _panelBytes, w2 = w + 2 * _panelBytes, w3 = w + 3 * _panelBytes;
        var c00 = Vector512.Load(y);
        var c01 = Vector512.Load(y + 16);
        var c02 = Vector512.Load(y + 32);
        var c03 = Vector512.Load(y + 48);
        for (var k = 0; k < inputs; k++)
        {
            var v0 = T.Wide(w, k * 16);
            var v1 = T.Wide(w1, k * 16);
            var v2 = T.Wide(w2, k * 16);
            var v3 = T.Wide(w3, k * 16);
            var b0 = Vector512.Create(x[k]);
            c00 = Vector512.FusedMultiplyAdd(b0, v0, c00);
            c01 = Vector512.FusedMultiplyAdd(b0, v1, c01);
            c02 = Vector512.FusedMultiplyAdd(b0, v2, c02);
            c03 = Vector512.FusedMultiplyAdd(b0, v3, c03);
        }

        c00.Store(y);
        c01.Store(y + 16);
        c02.Store(y + 32);
        c03.Store(y + 48);
    }

    private void Wide8X1(byte* w, float* x, float* y)
    {
        float* x1 = x + xStride, x2 = x + 2 * (long)xStride, x3 = x + 3 * (long)xStride, x4 = x + 4 * (long)xStride, x5 = x + 5 * (long)xStride,
            x6 = x + 6 * (long)xStride, x7 = x + 7 * (long)xStride;
        var c0 = Vector512.Load(y);
        var c1 = Vector512.Load(y + 1 * (long)yStride);
        var c2 = Vector512.Load(y + 2 * (long)yStride);
        var c3 = Vector512.Load(y + 3 * (long)yStride);
        var c4 = Vector512.Load(y + 4 * (long)yStride);
        var c5 = Vector512.Load(y + 5 * (long)yStride);
        var c6 = Vector512.Load(y + 6 * (long)yStride);
        var c7 = Vector512.Load(y + 7 * (long)yStride);
        for (var k = 0; k < inputs; k++)
        {
            var v = T.Wide(w, k * 16);
            c0 = Vector512.FusedMultiplyAdd(Vector512.Create(x[k]), v, c0);
            c1 = Vector512.FusedMultiplyAdd(Vector512.Create(x1[k]), v, c1);
            c2 = Vector512.FusedMultiplyAdd(Vector512.Create(x2[k]), v, c2);
            c3 = Vector512.FusedMultiplyAdd(Vector512.Create(x3[k]), v, c3);
            c4 = Vector512.FusedMultiplyAdd(Vector512.Create(x4[k]), v, c4);
            c5 = Vector512.FusedMultiplyAdd(Vector512.Create(x5[k]), v, c5);
            c6 = Vector512.FusedMultiplyAdd(Vector512.Create(x6[k]), v, c6);
            c7 = Vector512.FusedMultiplyAdd(Vector512.Create(x7[k]), v, c7);
        }

        c0.Store(y);
        c1.Store(y + 1 * (long)yStride);
        c2.Store(y + 2 * (long)yStride);
        c3.Store(y + 3 * (long)yStride);
        c4.Store(y + 4 * (long)yStride);
        c5.Store(y + 5 * (long)yStride);
        c6.Store(y + 6 * (long)yStride);
        c7.Store(y + 7 * (long)yStride);
    }

    private void Wide1X1(byte* w, float* x, float* y)
    {
        var c00 = Vector512.Load(y);
        for (var k = 0; k < inputs; k++)
        {
            var v0 = T.Wide(w, k * 16);
            var b0 = Vector512.Create(x[k]);
            c00 = Vector512.FusedMultiplyAdd(b0, v0, c00);
        }

        c00.Store(y);
    }

    private void Narrow4X1(byte* w, float* x, float* y)
    {
        float* x1 = x + xStride, x2 = x + 2 * (long)xStride, x3 = x + 3 * (long)xStride;
        var c00 = Vector256.Load(y);
        var c01 = Vector256.Load(y + 8);
        var c10 = Vector256.Load(y + yStride);
        var c11 = Vector256.Load(y + yStride + 8);
        var c20 = Vector256.Load(y + 2 * (long)yStride);
        var c21 = Vector256.Load(y + 2 * (long)yStride + 8);
        var c30 = Vector256.Load(y + 3 * (long)yStride);
        var c31 = Vector256.Load(y + 3 * (long)yStride + 8);
        for (var k = 0; k < inputs; k++)
        {
            var v0 = T.Narrow(w, k * 16);
            var v1 = T.Narrow(w, k * 16 + 8);
            var b0 = Vector256.Create(x[k]);
            c00 = Vector256.FusedMultiplyAdd(b0, v0, c00);
            c01 = Vector256.FusedMultiplyAdd(b0, v1, c01);
            var b1 = Vector256.Create(x1[k]);
            c10 = Vector256.FusedMultiplyAdd(b1, v0, c10);
            c11 = Vector256.FusedMultiplyAdd(b1, v1, c11);
            var b2 = Vector256.Create(x2[k]);
            c20 = Vector256.FusedMultiplyAdd(b2, v0, c20);
            c21 = Vector256.FusedMultiplyAdd(b2, v1, c21);
            var b3 = Vector256.Create(x3[k]);
            c30 = Vector256.FusedMultiplyAdd(b3, v0, c30);
            c31 = Vector256.FusedMultiplyAdd(b3, v1, c31);
        }

        c00.Store(y);
        c01.Store(y + 8);
        c10.Store(y + yStride);
        c11.Store(y + yStride + 8);
        c20.Store(y + 2 * (long)yStride);
        c21.Store(y + 2 * (long)yStride + 8);
        c30.Store(y + 3 * (long)yStride);
        c31.Store(y + 3 * (long)yStride + 8);
    }

    private void Narrow1X1(byte* w, float* x, float* y)
    {
        var c00 = Vector256.Load(y);
        var c01 = Vector256.Load(y + 8);
        for (var k = 0; k < inputs; k++)
        {
            var v0 = T.Narrow(w, k * 16);
            var v1 = T.Narrow(w, k * 16 + 8);
            var b0 = Vector256.Create(x[k]);
            c00 = Vector256.FusedMultiplyAdd(b0, v0, c00);
            c01 = Vector256.FusedMultiplyAdd(b0, v1, c01);
        }

        c00.Store(y);
        c01.Store(y + 8);
    }
}
