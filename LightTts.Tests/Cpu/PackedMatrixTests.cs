using LightTts.Cpu;
using LightTts.Torch;

namespace LightTts.Tests.Cpu;

public unsafe class PackedMatrixTests
{
    [Theory]
    [InlineData(1, 16, 8, true)]
    [InlineData(1, 128, 33, false)]
    [InlineData(1, 50, 7, true)]
    [InlineData(3, 70, 24, true)]
    [InlineData(4, 64, 64, false)]
    [InlineData(7, 200, 40, true)]
    [InlineData(19, 16, 31, true)] // one panel, many rows
    [InlineData(130, 300, 200, true)] // enough work for several threads
    public void IsTheMatrixProduct(int rows, int outputs, int inputs, bool withBias)
    {
        var random = new Random(1);
        float[] w = Numbers(random, outputs * inputs), x = Numbers(random, rows * inputs), bias = Numbers(random, outputs);
        var stride = NativeBuffer.Padded(outputs);
        using var y = new NativeBuffer(rows * stride);
        fixed (float* wp = w, xp = x, bp = bias)
        {
            using var matrix = new PackedMatrix(wp, outputs, inputs, withBias ? bp : null);
            matrix.Multiply(xp, inputs, rows, y.Start, stride, accumulate: false);
            Check(1);
            matrix.Multiply(xp, inputs, rows, y.Start, stride, accumulate: true);
            Check(2);

            var narrow = new float[rows * stride];
            var wide = new float[rows * stride];
            var panels = new float[NativeBuffer.Padded(outputs) * inputs];
            for (var n = 0; n < outputs; n++)
                for (var k = 0; k < inputs; k++)
                    panels[n / 16 * 16 * inputs + k * 16 + n % 16] = w[n * inputs + k];
            var kernel = new PanelKernel<SingleNumbers>(inputs, 16L * inputs, inputs, stride);
            fixed (float* pp = panels, np = narrow, dp = wide)
            {
                kernel.Narrow((byte*)pp, stride / 16, xp, rows, np);
                kernel.Wide((byte*)pp, stride / 16, xp, rows, dp);
            }

            Assert.Equal(wide, narrow); // bit for bit, whatever the width of the vectors
        }

        void Check(int times)
        {
            for (var m = 0; m < rows; m++)
            {
                for (var n = 0; n < outputs; n++)
                {
                    double expected = withBias ? bias[n] : 0;
                    for (var k = 0; k < inputs; k++)
                        expected += times * (double)w[n * inputs + k] * x[m * inputs + k];
                    Assert.Equal(expected, y.Start[m * stride + n], 2e-4 * inputs / 10);
                }
            }
        }
    }

    /// <summary>The same bits as 32-bit numbers that were rounded before, on whichever registers.</summary>
    [Theory]
    [InlineData(1, 128, 33, false)]
    [InlineData(7, 200, 40, false)]
    [InlineData(1, 128, 33, true)]
    [InlineData(7, 200, 40, true)]
    public void Half_weights_are_rounded_and_multiplied_in_full(int rows, int outputs, int inputs, bool isFloat16)
    {
        var random = new Random(1);
        // Small ones are among them, which 16 bits hold without an exponent or not at all.
        float[] w = [.. Numbers(random, outputs * inputs).Select((value, i) => i % 5 == 0 ? value * 1e-4f : i % 7 == 0 ? value * 1e-8f : value)];
        var x = Numbers(random, rows * inputs);
        using var numbers = TorchSharp.torch.tensor(w);
        using var halved = numbers.to(isFloat16 ? TorchSharp.torch.ScalarType.Float16 : TorchSharp.torch.ScalarType.BFloat16);
        var rounded = halved.ToSingles();
        var stride = NativeBuffer.Padded(outputs);
        float[] Run(float[] weights, PanelFormat format)
        {
            using var y = new NativeBuffer(rows * stride);
            fixed (float* wp = weights, xp = x)
            {
                using var matrix = new PackedMatrix(wp, outputs, inputs, null, format);
                matrix.Multiply(xp, inputs, rows, y.Start, stride, accumulate: false);
            }
            return new ReadOnlySpan<float>(y.Start, rows * stride).ToArray();
        }
        var expected = Run(rounded, PanelFormat.Float32);
        Assert.Equal(expected, Run(w, isFloat16 ? PanelFormat.Float16 : PanelFormat.BFloat16));
        Assert.NotEqual(expected, Run(w, PanelFormat.Float32));

        var halves = new ushort[stride * inputs];
        for (var n = 0; n < outputs; n++)
            for (var k = 0; k < inputs; k++)
                halves[n / 16 * 16 * inputs + k * 16 + n % 16] = isFloat16 ? Half16Numbers.Round(w[n * inputs + k])
                    : HalfNumbers.Round(w[n * inputs + k]);
        var narrow = new float[rows * stride];
        fixed (ushort* hp = halves)
        fixed (float* xp = x, np = narrow)
            if (isFloat16)
                new PanelKernel<Half16Numbers>(inputs, 16L * inputs, inputs, stride).Narrow((byte*)hp, stride / 16, xp, rows, np);
            else
                new PanelKernel<HalfNumbers>(inputs, 16L * inputs, inputs, stride).Narrow((byte*)hp, stride / 16, xp, rows, np);
        Assert.Equal(expected, narrow);
    }

    private static float[] Numbers(Random random, int count) => [.. Enumerable.Range(0, count).Select(_ => random.NextSingle() * 2 - 1)];
}
