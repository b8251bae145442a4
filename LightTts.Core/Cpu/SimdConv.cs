using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace LightTts.Cpu;

/// <summary>A 1-d convolution of stride 1 on the processor's vector units: y[o, t] = bias[o] + sum of w[o, i, k] * x[i, t + k * dilation].</summary>
/// <remarks>
/// Vectors run along time, so channel counts of 20 or 18 waste nothing (libraries that
/// block channels by 16 pad them). Four outputs by four vectors are summed
/// in registers: 16 products for 8 loads. Immutable.
/// </remarks>
internal sealed unsafe class SimdConv
{
    private const int Rows = 4;

    private readonly float[] _weights; // [outputs / 4][inputs][kernel][4], zeros beyond the last output
    private readonly float[] _bias;
    private readonly int _outputs;
    private readonly int _inputs;
    private readonly int _kernel;
    private readonly int _dilation;

    /// <param name="weight">[outputs, inputs, kernel], row-major.</param>
    /// <param name="bias">[outputs], or empty.</param>
    /// <param name="outputs">Output channels.</param>
    /// <param name="inputs">Input channels.</param>
    /// <param name="kernel">Taps.</param>
    /// <param name="dilation">Columns between taps.</param>
    public SimdConv(ReadOnlySpan<float> weight, ReadOnlySpan<float> bias, int outputs, int inputs, int kernel, int dilation)
    {
        (_outputs, _inputs, _kernel, _dilation) = (outputs, inputs, kernel, dilation);
        var blocks = (outputs + Rows - 1) / Rows;
        _weights = GC.AllocateArray<float>(blocks * inputs * kernel * Rows, pinned: true);
        _bias = GC.AllocateArray<float>(blocks * Rows, pinned: true);
        bias.CopyTo(_bias);
        for (var o = 0; o < outputs; o++)
            for (var j = 0; j < inputs * kernel; j++)
                _weights[(o / Rows * inputs * kernel + j) * Rows + o % Rows] = weight[o * inputs * kernel + j];
    }

    /// <summary>Columns that one inner step makes; a thread's share should be a multiple.</summary>
    public static int Tile { get; } = Vector512.IsHardwareAccelerated ? 64 : 16;

    /// <summary>Makes the columns from <paramref name="from"/> to <paramref name="to"/>.</summary>
    /// <param name="x">[inputs, columns + (kernel - 1) * dilation].</param>
    /// <param name="xStride">Distance of x's rows.</param>
    /// <param name="y">[outputs, columns].</param>
    /// <param name="yStride">Distance of y's rows.</param>
    /// <param name="from">First column.</param>
    /// <param name="to">Column after the last.</param>
    /// <param name="add">[outputs, columns] to add to the result, with y's values untouched; or null.</param>
    /// <param name="addStride">Distance of its rows.</param>
    /// <param name="snake">An activation for the result, or null.</param>
    public void Run(float* x, long xStride, float* y, long yStride, int from, int to, float* add = null, long addStride = 0, SimdSnake? snake = null)
    {
        for (var t = from; t < to;)
        {
            // The last tile is moved back to end at the last column: what it makes twice comes out the same.
            var width = to - t > Tile / 2 && to - from >= Tile ? Tile : to - from >= 16 ? 16 : to - from >= 8 ? 8 : 1;
            var at = Math.Min(t, to - width);
            for (var o = 0; o < _outputs; o += Rows)
                Block(x + at, xStride, y + at, yStride, o, width, add == null ? null : add + at, addStride);
            snake?.Run(y + at, yStride, y + at, yStride, 0, _outputs, width);
            t = at + width;
        }
    }

    private void Block(float* x, long xStride, float* y, long yStride, int output, int width, float* add, long addStride)
    {
        var rows = Math.Min(Rows, _outputs - output);
        var spare = stackalloc float[64]; // where the rows beyond the last output go
        fixed (float* weights = &_weights[output * _inputs * _kernel], bias = &_bias[output])
        {
            var y0 = y + output * yStride;
            var y1 = rows > 1 ? y0 + yStride : spare;
            var y2 = rows > 2 ? y1 + yStride : spare;
            var y3 = rows > 3 ? y2 + yStride : spare;
            if (width == 64)
                Block512(x, xStride, weights, bias, y0, y1, y2, y3);
            else if (width == 16)
                Block256(x, xStride, weights, bias, y0, y1, y2, y3);
            else if (width == 8)
                Block8(x, xStride, weights, bias, y0, y1, y2, y3);
            else
                Block1(x, xStride, weights, bias, y0, y1, y2, y3);
            if (add == null)
                return;
            for (var r = 0; r < rows; r++)
            {
                var target = y + (output + r) * yStride;
                var source = add + (output + r) * addStride;
                if (width == 1)
                    *target += *source;
                else
                    for (var i = 0; i < width; i += 8)
                        (Vector256.Load(target + i) + Vector256.Load(source + i)).Store(target + i);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Block512(float* x, long xStride, float* w, float* bias, float* y0, float* y1, float* y2, float* y3)
    {
        Vector512<float> a00, a01, a02, a03, a10, a11, a12, a13, a20, a21, a22, a23, a30, a31, a32, a33;
        a00 = a01 = a02 = a03 = Vector512.Create(bias[0]);
        a10 = a11 = a12 = a13 = Vector512.Create(bias[1]);
        a20 = a21 = a22 = a23 = Vector512.Create(bias[2]);
        a30 = a31 = a32 = a33 = Vector512.Create(bias[3]);
        long dilation = _dilation;
        var kernel = _kernel;
        for (var i = _inputs; i > 0; i--, x += xStride)
        {
            var p = x;
            for (var k = kernel; k > 0; k--, p += dilation, w += Rows)
            {
                var x0 = Vector512.Load(p);
                var x1 = Vector512.Load(p + 16);
                var x2 = Vector512.Load(p + 32);
                var x3 = Vector512.Load(p + 48);
                var b = Vector512.Create(w[0]);
                a00 = Vector512.FusedMultiplyAdd(x0, b, a00);
                a01 = Vector512.FusedMultiplyAdd(x1, b, a01);
                a02 = Vector512.FusedMultiplyAdd(x2, b, a02);
                a03 = Vector512.FusedMultiplyAdd(x3, b, a03);
                b = Vector512.Create(w[1]);
                a10 = Vector512.FusedMultiplyAdd(x0, b, a10);
                a11 = Vector512.FusedMultiplyAdd(x1, b, a11);
                a12 = Vector512.FusedMultiplyAdd(x2, b, a12);
                a13 = Vector512.FusedMultiplyAdd(x3, b, a13);
                b = Vector512.Create(w[2]);
                a20 = Vector512.FusedMultiplyAdd(x0, b, a20);
                a21 = Vector512.FusedMultiplyAdd(x1, b, a21);
                a22 = Vector512.FusedMultiplyAdd(x2, b, a22);
                a23 = Vector512.FusedMultiplyAdd(x3, b, a23);
                b = Vector512.Create(w[3]);
                a30 = Vector512.FusedMultiplyAdd(x0, b, a30);
                a31 = Vector512.FusedMultiplyAdd(x1, b, a31);
                a32 = Vector512.FusedMultiplyAdd(x2, b, a32);
                a33 = Vector512.FusedMultiplyAdd(x3, b, a33);
            }
        }
        // The spare row first, so that a row beyond the last output never overwrites a real one.
        Store(y3, a30, a31, a32, a33);
        Store(y2, a20, a21, a22, a23);
        Store(y1, a10, a11, a12, a13);
        Store(y0, a00, a01, a02, a03);

        static void Store(float* y, Vector512<float> v0, Vector512<float> v1, Vector512<float> v2, Vector512<float> v3)
        {
            v0.Store(y);
            v1.Store(y + 16);
            v2.Store(y + 32);
            v3.Store(y + 48);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Block256(float* x, long xStride, float* w, float* bias, float* y0, float* y1, float* y2, float* y3)
    {
        Vector256<float> a00, a01, a10, a11, a20, a21, a30, a31;
        a00 = a01 = Vector256.Create(bias[0]);
        a10 = a11 = Vector256.Create(bias[1]);
        a20 = a21 = Vector256.Create(bias[2]);
        a30 = a31 = Vector256.Create(bias[3]);
        for (var i = _inputs; i > 0; i--, x += xStride)
        {
            var p = x;
            for (var k = _kernel; k > 0; k--, p += _dilation, w += Rows)
            {
                var x0 = Vector256.Load(p);
                var x1 = Vector256.Load(p + 8);
                var b = Vector256.Create(w[0]);
                a00 = Vector256.FusedMultiplyAdd(x0, b, a00);
                a01 = Vector256.FusedMultiplyAdd(x1, b, a01);
                b = Vector256.Create(w[1]);
                a10 = Vector256.FusedMultiplyAdd(x0, b, a10);
                a11 = Vector256.FusedMultiplyAdd(x1, b, a11);
                b = Vector256.Create(w[2]);
                a20 = Vector256.FusedMultiplyAdd(x0, b, a20);
                a21 = Vector256.FusedMultiplyAdd(x1, b, a21);
                b = Vector256.Create(w[3]);
                a30 = Vector256.FusedMultiplyAdd(x0, b, a30);
                a31 = Vector256.FusedMultiplyAdd(x1, b, a31);
            }
        }
        a30.Store(y3);
        a31.Store(y3 + 8);
        a20.Store(y2);
        a21.Store(y2 + 8);
        a10.Store(y1);
        a11.Store(y1 + 8);
        a00.Store(y0);
        a01.Store(y0 + 8);
    }

    private void Block8(float* x, long xStride, float* w, float* bias, float* y0, float* y1, float* y2, float* y3)
    {
        var (a0, a1, a2, a3) = (Vector256.Create(bias[0]), Vector256.Create(bias[1]), Vector256.Create(bias[2]), Vector256.Create(bias[3]));
        for (var i = 0; i < _inputs; i++, x += xStride)
        {
            for (var k = 0; k < _kernel; k++, w += Rows)
            {
                var value = Vector256.Load(x + k * _dilation);
                a0 = Vector256.FusedMultiplyAdd(value, Vector256.Create(w[0]), a0);
                a1 = Vector256.FusedMultiplyAdd(value, Vector256.Create(w[1]), a1);
                a2 = Vector256.FusedMultiplyAdd(value, Vector256.Create(w[2]), a2);
                a3 = Vector256.FusedMultiplyAdd(value, Vector256.Create(w[3]), a3);
            }
        }
        a3.Store(y3);
        a2.Store(y2);
        a1.Store(y1);
        a0.Store(y0);
    }

    private void Block1(float* x, long xStride, float* w, float* bias, float* y0, float* y1, float* y2, float* y3)
    {
        var sum = Vector128.Load(bias);
        for (var i = 0; i < _inputs; i++, x += xStride)
            for (var k = 0; k < _kernel; k++, w += Rows)
                sum = Vector128.FusedMultiplyAdd(Vector128.Load(w), Vector128.Create(x[k * _dilation]), sum);
        (*y3, *y2, *y1, *y0) = (sum[3], sum[2], sum[1], sum[0]);
    }
}
