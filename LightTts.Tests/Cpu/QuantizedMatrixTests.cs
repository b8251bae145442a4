using LightTts.Cpu;

namespace LightTts.Tests.Cpu;

/// <summary>The product of 8-bit numbers: near the exact one, and the same by every path and in any company.</summary>
public unsafe class QuantizedMatrixTests
{
    public static TheoryData<int, int, int, bool> Shapes => new()
    {
        { 1, 16, 8, true }, { 1, 128, 33, false }, { 3, 50, 7, true }, { 4, 64, 64, false }, { 9, 200, 41, true },
        { 1, 80, 64, true }, { 2, 80, 48, false }, { 8, 48, 16, true }, { 19, 176, 128, true },
        { 130, 320, 300, true }, // enough work for several threads
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Is_the_product_of_what_was_rounded(int rows, int outputs, int inputs, bool withBias)
    {
        var random = new Random(1);
        float[] w = Numbers(random, outputs * inputs), x = Numbers(random, rows * inputs), bias = Numbers(random, outputs);
        var stride = NativeBuffer.Padded(outputs);
        var expected = Expected(w, x, withBias ? bias : null, rows, outputs, inputs);
        var first = Multiply(Int8Path.Portable, w, x, withBias ? bias : null, rows, outputs, inputs, 1);
        for (var m = 0; m < rows; m++)
            for (var n = 0; n < outputs; n++)
                Assert.Equal(expected[m, n], first[m * stride + n], 1e-4 * inputs / 10);
        foreach (var path in Enum.GetValues<Int8Path>().Where(Int8Paths.IsSupported))
            foreach (var threads in (int[])[1, 2])
                Assert.Equal(first, Multiply(path, w, x, withBias ? bias : null, rows, outputs, inputs, threads)); // bit for bit
    }

    [Fact]
    public void A_row_is_the_same_alone_and_among_others()
    {
        const int Rows = 7, Outputs = 48, Inputs = 37;
        var random = new Random(2);
        float[] w = Numbers(random, Outputs * Inputs), x = Numbers(random, Rows * Inputs);
        var all = Multiply(Int8Paths.Best, w, x, null, Rows, Outputs, Inputs, 1);
        for (var row = 0; row < Rows; row++)
            Assert.Equal(all[(row * Outputs)..((row + 1) * Outputs)],
                Multiply(Int8Paths.Best, w, x[(row * Inputs)..((row + 1) * Inputs)], null, 1, Outputs, Inputs, 1));
    }

    /// <summary>Weights that 8 bits hold exactly: what is left of an error is the rows'.</summary>
    [Fact]
    public void Fine_rows_have_sixteen_bits()
    {
        const int Rows = 5, Outputs = 48, Inputs = 37;
        var random = new Random(3);
        float[] w = [.. Enumerable.Range(0, Outputs * Inputs).Select(i => i % Inputs == 0 ? 127 : random.Next(-127, 128))];
        var x = Numbers(random, Rows * Inputs);
        float[] coarse = Run(false, Int8Paths.Best, x, Rows), fine = Run(true, Int8Paths.Best, x, Rows);
        double Error(float[] y) => Enumerable.Range(0, Rows * Outputs).Max(at => Math.Abs(y[at]
            - Enumerable.Range(0, Inputs).Sum(k => (double)x[at / Outputs * Inputs + k] * w[at % Outputs * Inputs + k])));
        Assert.InRange(Error(fine), 0, Error(coarse) / 100);
        foreach (var path in Enum.GetValues<Int8Path>().Where(Int8Paths.IsSupported))
            Assert.Equal(fine, Run(true, path, x, Rows));
        for (var row = 0; row < Rows; row++)
            Assert.Equal(fine[(row * Outputs)..((row + 1) * Outputs)], Run(true, Int8Paths.Best, x[(row * Inputs)..((row + 1) * Inputs)], 1));
        x[7] = float.NaN;
        Assert.All(Run(true, Int8Paths.Best, x, Rows)[..Outputs], value => Assert.False(float.IsFinite(value)));

        float[] Run(bool isFine, Int8Path path, float[] rows, int count)
        {
            using var y = new NativeBuffer(count * Outputs);
            fixed (float* wp = w, xp = rows)
            {
                using var matrix = new QuantizedMatrix(wp, Outputs, Inputs, null, path) { HasFineRows = isFine };
                matrix.Multiply(xp, Inputs, count, y.Start, Outputs, accumulate: false, threads: 1);
            }
            return new ReadOnlySpan<float>(y.Start, count * Outputs).ToArray();
        }
    }

    /// <summary>The largest numbers on every place: what a path that adds in 16 bits would cut off.</summary>
    [Fact]
    public void The_largest_numbers_do_not_overflow()
    {
        const int Outputs = 16, Inputs = 4864;
        foreach (var sign in (float[])[1, -1])
            foreach (var path in Enum.GetValues<Int8Path>().Where(Int8Paths.IsSupported))
            {
                float[] w = [.. Enumerable.Repeat(sign, Outputs * Inputs)], x = [.. Enumerable.Repeat(1f, Inputs)];
                var y = Multiply(path, w, x, null, 1, Outputs, Inputs, 1);
                Assert.All(y, value => Assert.Equal(sign * Inputs, value, 0.01));
            }
    }

    [Fact]
    public void What_is_no_number_shows()
    {
        foreach (var bad in (float[])[float.NaN, float.PositiveInfinity])
        {
            var x = new float[16];
            x[3] = bad;
            var y = Multiply(Int8Paths.Best, [.. Enumerable.Repeat(1f, 256)], x, null, 1, 16, 16, 1);
            Assert.All(y, value => Assert.False(float.IsFinite(value)));
        }
        Assert.All(Multiply(Int8Paths.Best, new float[256], new float[16], null, 1, 16, 16, 1), value => Assert.Equal(0, value));
    }

    private static float[] Multiply(Int8Path path, float[] w, float[] x, float[]? bias, int rows, int outputs, int inputs, int threads)
    {
        var stride = NativeBuffer.Padded(outputs);
        using var y = new NativeBuffer(rows * stride);
        fixed (float* wp = w, xp = x, bp = bias)
        {
            using var matrix = new QuantizedMatrix(wp, outputs, inputs, bias is null ? null : bp, path);
            matrix.Multiply(xp, inputs, rows, y.Start, stride, accumulate: false, threads);
            var once = new ReadOnlySpan<float>(y.Start, rows * stride).ToArray();
            // Added to what is there: the bias is not added again.
            matrix.Multiply(xp, inputs, rows, y.Start, stride, accumulate: true, threads);
            for (var m = 0; m < rows; m++)
                for (var n = 0; n < outputs; n++)
                    if (float.IsFinite(once[m * stride + n]))
                        Assert.Equal(2 * once[m * stride + n] - (bias?[n] ?? 0), y.Start[m * stride + n], 1e-4 * inputs / 10);
            return once;
        }
    }

    private static double[,] Expected(float[] w, float[] x, float[]? bias, int rows, int outputs, int inputs)
    {
        static double[] Rounded(float[] all, int row, int count)
        {
            var part = all.AsSpan(row * count, count).ToArray();
            var unit = part.Max(Math.Abs) / 127;
            return [.. part.Select(value => MathF.Round(value * (127 / part.Max(Math.Abs))) * (double)unit)];
        }
        var (left, right) = (Enumerable.Range(0, rows).Select(m => Rounded(x, m, inputs)).ToArray(),
            Enumerable.Range(0, outputs).Select(n => Rounded(w, n, inputs)).ToArray());
        var expected = new double[rows, outputs];
        for (var m = 0; m < rows; m++)
            for (var n = 0; n < outputs; n++)
                expected[m, n] = (bias?[n] ?? 0) + left[m].Zip(right[n], (a, b) => a * b).Sum();
        return expected;
    }

    private static float[] Numbers(Random random, int count) => [.. Enumerable.Range(0, count).Select(_ => random.NextSingle() * 2 - 1)];
}
