using LightTts.Audio;

namespace LightTts.Tests.Audio;

public sealed class ResamplerTests
{
    [Fact]
    public void Same_rate_is_the_same_memory()
    {
        ReadOnlyMemory<float> samples = new float[10];
        Assert.Equal(samples, Resampler.Resample(samples, 16_000, 16_000));
        Assert.True(Resampler.Resample(ReadOnlyMemory<float>.Empty, 44_100, 16_000).IsEmpty);
    }

    [Theory]
    [InlineData(44_100, 16_000)]
    [InlineData(48_000, 24_000)]
    [InlineData(16_000, 24_000)]
    [InlineData(22_050, 24_000)]
    [InlineData(44_101, 16_000)] // no common divisor
    [InlineData(383_999, 24_000)]
    public void Tone_stays_the_tone(int from, int to)
    {
        // Band-limited conversion of a sine far below the cut-off is that sine at the new rate, away from the ends.
        var input = new float[from / 4];
        for (var i = 0; i < input.Length; i++)
            input[i] = (float)Math.Sin(2 * Math.PI * 440 * i / from);
        var output = Resampler.Resample(input, from, to).Span;
        Assert.Equal((int)(((long)input.Length * to + from - 1) / from), output.Length);
        for (var i = 50; i < output.Length - 50; i++)
            Assert.Equal(Math.Sin(2 * Math.PI * 440 * i / to), output[i], 2e-3);
    }

    [Theory]
    [InlineData(44_100, 16_000)]
    [InlineData(8_000, 24_000)]
    [InlineData(16_001, 16_000)]
    public void Equals_the_reference_formula_with_all_taps(int from, int to)
    {
        var random = new Random(from);
        var input = new float[3_000];
        for (var i = 0; i < input.Length; i++)
            input[i] = random.NextSingle() - 0.5f;
        var actual = Resampler.Resample(input, from, to).Span;
        var divisor = (int)System.Numerics.BigInteger.GreatestCommonDivisor(from, to);
        double o = from / divisor, n = to / divisor, bandwidth = Math.Min(o, n) * 0.99;
        var width = (int)Math.Ceiling(6 * o / bandwidth);
        foreach (var m in new[] { 0, 1, 2, actual.Length / 3, actual.Length / 2, actual.Length - 2, actual.Length - 1 })
        {
            double sum = 0;
            var (step, phase) = (m / (int)n, m % (int)n);
            double offset = -phase / (float)n; // single precision, as in torchaudio
            for (var i = -width; i < width + (int)o; i++)
            {
                var at = step * (int)o + i;
                if (at < 0 || at >= input.Length)
                    continue;
                var t = Math.Clamp((offset + i / o) * bandwidth, -6, 6);
                sum += input[at] * Math.Pow(Math.Cos(t * Math.PI / 12), 2) * (t == 0 ? 1 : Math.Sin(Math.PI * t) / (Math.PI * t)) * bandwidth / o;
            }
            Assert.Equal(sum, actual[m], 1e-6);
        }
    }

    [Fact]
    public void Shorter_than_the_kernel_is_fine() => Assert.Equal(2, Resampler.Resample(new float[] { 1, 1, 1 }, 48_000, 24_000).Length);

    [Fact]
    public void Rates_below_1_are_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => Resampler.Resample(new float[1], 0, 16_000));
        Assert.Throws<ArgumentOutOfRangeException>(() => Resampler.Resample(new float[1], 16_000, -1));
    }
}
