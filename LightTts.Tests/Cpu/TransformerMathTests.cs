using LightTts.Cpu;

namespace LightTts.Tests.Cpu;

public unsafe class TransformerMathTests
{
    public static TheoryData<int> Lengths => [1, 15, 16, 48, 1024, 1030];

    [Theory]
    [MemberData(nameof(Lengths))]
    public void Layer_norm_is_its_formula(int count)
    {
        float[] x = Numbers(1, count), scale = Numbers(2, count), shift = Numbers(3, count), y = new float[count];
        fixed (float* xp = x, a = scale, b = shift, yp = y)
            TransformerMath.LayerNorm(xp, a, b, yp, count, 1e-6f);
        var mean = x.Average(value => (double)value);
        var deviation = Math.Sqrt(x.Average(value => (value - mean) * (value - mean)) + 1e-6);
        for (var i = 0; i < count; i++)
            Assert.Equal((x[i] - mean) / deviation * scale[i] + shift[i], y[i], 2e-4);
    }

    [Theory]
    [MemberData(nameof(Lengths))]
    public void Activations_are_their_formulas(int count)
    {
        float[] x = Numbers(4, count), gelu = [.. x], mish = [.. x], added = [.. x], gate = Numbers(5, count);
        fixed (float* g = gelu, m = mish, h = added, xp = x, gp = gate)
        {
            TransformerMath.Gelu(g, count);
            TransformerMath.Mish(m, count);
            TransformerMath.AddGated(h, xp, gp, count);
        }
        for (var i = 0; i < count; i++)
        {
            double v = x[i];
            Assert.Equal(0.5 * v * (1 + Math.Tanh(Math.Sqrt(2 / Math.PI) * (v + 0.044715 * v * v * v))), gelu[i], 1e-5);
            Assert.Equal(v * Math.Tanh(Math.Log(1 + Math.Exp(v))), mish[i], 1e-5);
            Assert.Equal(v + gate[i] * v, added[i], 1e-5);
        }
    }

    [Fact]
    public void Activations_bear_large_numbers()
    {
        float[] x = [.. Enumerable.Range(0, 17).Select(i => i % 2 == 0 ? 3e4f : -3e4f)], mish = [.. x];
        float[] expected = [.. x.Select(value => Math.Max(value, 0))];
        fixed (float* g = x, m = mish)
        {
            TransformerMath.Gelu(g, x.Length);
            TransformerMath.Mish(m, mish.Length);
        }
        Assert.Equal(expected, x.Select(value => value + 0)); // -0 is 0
        Assert.Equal(expected, mish.Select(value => value + 0));
    }

    private static float[] Numbers(int seed, int count)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => random.NextSingle() * 10 - 5)];
    }
}
