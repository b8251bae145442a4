using System.Runtime.Intrinsics;
using LightTts.Audio;

namespace LightTts.Tests.Audio;

/// <summary>The fast transform against the definition.</summary>
public sealed class FourierTests
{
    [Theory]
    [InlineData(2)]
    [InlineData(6)]
    [InlineData(14)]
    [InlineData(122)] // 2 x 61: a large prime
    [InlineData(400)]
    [InlineData(512)]
    [InlineData(600)]
    [InlineData(1920)]
    public void Power_is_that_of_the_definition(int size)
    {
        var random = new Random(size);
        var frames = new Vector256<double>[size];
        for (var i = 0; i < size; i++)
            frames[i] = Vector256.Create(random.NextDouble() - 0.5, random.NextDouble(), Math.Sin(i), i == 1 ? 1 : 0);
        var fourier = new Fourier(size);
        var power = new Vector256<double>[fourier.Bins];
        fourier.Power(frames, power);
        fourier.Power(frames, power); // nothing is left over from one call to the next
        Assert.Equal(size / 2 + 1, fourier.Bins);
        for (var bin = 0; bin < fourier.Bins; bin++)
            for (var lane = 0; lane < Fourier.Lanes; lane++)
            {
                double re = 0, im = 0;
                for (var i = 0; i < size; i++)
                {
                    var (sin, cos) = Math.SinCos(-2 * Math.PI * ((long)i * bin % size) / size);
                    re += frames[i][lane] * cos;
                    im += frames[i][lane] * sin;
                }
                Assert.Equal(re * re + im * im, power[bin][lane], 1e-9 * size * size);
            }
    }

    [Fact]
    public void Odd_sizes_are_refused() => Assert.Throws<ArgumentOutOfRangeException>(() => new Fourier(401));
}
