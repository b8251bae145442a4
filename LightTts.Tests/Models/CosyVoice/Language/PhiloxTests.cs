using LightTts.Models.CosyVoice;
using LightTts.Models.CosyVoice.Language;

namespace LightTts.Tests.Models.CosyVoice.Language;

public class PhiloxTests
{
    // The known answers of the Random123 library.
    [Theory]
    [InlineData(0u, 0u, 0u, 0u, 0u, 0u, 0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u)]
    [InlineData(~0u, ~0u, ~0u, ~0u, ~0u, ~0u, 0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu)]
    [InlineData(0x243f6a88u, 0x85a308d3u, 0x13198a2eu, 0x03707344u, 0xa4093822u, 0x299f31d0u, 0xd16cfe09u, 0x94fdccebu, 0x5001e420u, 0x24126ea1u)]
    public void MatchesTheKnownAnswers(uint c0, uint c1, uint c2, uint c3, uint k0, uint k1, uint x0, uint x1, uint x2, uint x3) =>
        Assert.Equal((x0, x1, x2, x3), Philox.Words(c0, c1, c2, c3, k0, k1));

    [Fact]
    public void UniformsFillTheUnitIntervalEvenly()
    {
        var counts = new int[10];
        for (var i = 0; i < 10_000; i++)
        {
            var u = Philox.Uniform(seed: 42, position: i, draw: 0);
            Assert.InRange(u, 0, 0.9999999999999999);
            counts[(int)(u * 10)]++;
        }

        Assert.All(counts, count => Assert.InRange(count, 850, 1150));
    }

    [Fact]
    public void EveryPartOfTheKeyCounts()
    {
        double[] draws =
        [
            Philox.Uniform(1, 0, 0), Philox.Uniform(2, 0, 0), Philox.Uniform(1UL << 32, 0, 0), Philox.Uniform(1, 1, 0), Philox.Uniform(1, 0, 1),
        ];
        Assert.Equal(draws.Length, draws.Distinct().Count());
    }
}
