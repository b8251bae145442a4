using LightTts.Audio;

namespace LightTts.Tests.Audio;

public sealed class StreamingResamplerTests
{
    [Theory]
    [InlineData(44_100, 16_000)]
    [InlineData(48_000, 16_000)]
    [InlineData(16_000, 16_000)]
    [InlineData(22_050, 16_000)]
    [InlineData(24_000, 16_000)]
    [InlineData(44_101, 16_000)] // no common divisor: a block is a second
    [InlineData(384_000, 16_000)]
    public void Pieces_give_what_the_whole_gives(int from, int to)
    {
        var random = new Random(from);
        var input = new float[3 * from + 17];
        for (var i = 0; i < input.Length; i++)
            input[i] = random.NextSingle() - 0.5f;
        var expected = Resampler.Resample(input, from, to).ToArray();
        var (resampler, actual) = (new StreamingResampler(from, to), new List<float>());
        for (int at = 0, count; at < input.Length; at += count)
        {
            count = Math.Min(random.Next(1, from / 7), input.Length - at);
            resampler.Push(input.AsSpan(at, count), actual);
            Assert.True(actual.Count > (at + count - 2.2 * from) * to / from, "it holds back more than two blocks");
        }
        resampler.Finish(actual);
        Assert.Equal(expected.Length, actual.Count);
        for (var i = 0; i < expected.Length; i++)
            Assert.Equal(expected[i], actual[i], 1e-6f);
    }
}
