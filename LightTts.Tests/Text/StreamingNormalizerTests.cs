using System.Text;
using LightTts.Text;

namespace LightTts.Tests.Text;

public sealed class StreamingNormalizerTests
{
    [Theory]
    [InlineData("I paid $1,234.50 for 3 books on May 1, 2024 at 3:30 p.m. and then we went home to eat 5 kg of bread.")]
    [InlineData("Dr. Smith of 12 Main St. met Henry VIII in 1984, e.g. at the U.S. embassy, while Mrs. Jones waited; she called 555-1234.")]
    [InlineData("Read Chapter IV of World War II from page 10-15, then mail john.smith@example.com or see https://example.com/a today.")]
    [InlineData("It was -5 °C and 25% colder than the 1990s, the 3rd worst year since 1905, with 2 1/2 feet of snow (a record) everywhere.")]
    [InlineData("the quick brown fox jumps over the lazy dog, and nobody knows why it would do so on a [laughter] warm day")]
    [InlineData("今天是2024年5月1日，下午3:30我们在公园见面，一共有25%的人带了12.5公斤的水果和蔬菜回家去做饭。")]
    [InlineData("他说请拨打110或者打电话给我，手机是13812345678，价格大概是¥50到100元之间，我们以后再慢慢商量好了。")]
    public void HoweverTextIsCutTheResultIsTheSame(string text)
    {
        var random = new Random(9);
        var whole = TextNormalizer.Normalize(text);
        for (var round = 0; round < 60; round++)
        {
            var stream = new StreamingNormalizer(TextOptions.Default);
            var spoken = new StringBuilder();
            for (var start = 0; start < text.Length;)
            {
                var length = Math.Min(random.Next(1, 9), text.Length - start);
                spoken.Append(stream.Push(text.Substring(start, length)));
                start += length;
            }
            Assert.Equal(whole, spoken.Append(stream.Finish()).ToString());
        }
    }

    [Fact]
    public void PlainWordsAreGivenSoon()
    {
        var stream = new StreamingNormalizer(TextOptions.Default);
        Assert.Equal("good morning", stream.Push("good morning ev") + stream.Push(""));
        Assert.Equal(" everyone, we have three apples here.", stream.Push("eryone, we have 3 ") + stream.Push("apples here.") + stream.Finish());
    }

    [Fact]
    public void TextWithoutASafePlaceIsNotHeldForEver()
    {
        var stream = new StreamingNormalizer(TextOptions.Default);
        var given = 0;
        for (var i = 0; i < 10_000; i++)
            given += stream.Push("12345").Length;
        Assert.True(given > 0);
        Assert.NotEmpty(stream.Finish());
        Assert.Equal("", stream.Finish());
    }
}
