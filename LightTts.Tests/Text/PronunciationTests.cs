using System.Text;
using LightTts.Text;

namespace LightTts.Tests.Text;

public sealed class PronunciationTests
{
    private const string Words =
        """
        # names
        Nguyen = Win
        nginx = engine X
        SQL	sequel
        Polish = Poalish
        polish = pollish
        New York City = the big apple
        new york = Noo Yawk
        C++ = see plus plus
        read = [R][EH1][D]
        重庆 = 虫庆
        GPT-4 = gee pee tee 4
        """;

    [Theory]
    [InlineData("Dr. Nguyen has 5 cats.", "Doctor Win has five cats.")]
    [InlineData("Nguyen's 2 SQL servers run NGINX.", "Win's two sequel servers run engine X.")]
    [InlineData("nguyen and Nguyens", "nguyen and Nguyens")]
    [InlineData("Polish the Polish table, polish it.", "pollish the Poalish table, pollish it.")]
    [InlineData("New York City, New  York, new york and New\nYork", "the big apple, New York, Noo Yawk and Noo Yawk")]
    [InlineData("I like C++ best.", "I like see plus plus best.")]
    [InlineData("I read 2 books.", "I [R][EH1][D] two books.")]
    [InlineData("我在重庆有3只猫", "我在虫庆有三只猫")]
    [InlineData("GPT-4 is 4.", "gee pee tee 4 is four.")]
    [InlineData("MySQL is not SQL", "MySQL is not sequel")]
    [InlineData("\ua726\ua72b Nguyen \ua727 5", "\ua726\ua72b Win \ua727 five")]
    public void WordsArePutInAndTheRestIsNormalised(string text, string expected)
    {
        var options = new TextOptions { Pronunciations = [PronunciationDictionary.Parse(Words)] };
        var spoken = TextNormalizer.Normalize(text, options, LanguageContext.Of(null, text));
        if (text.StartsWith("Polish", StringComparison.Ordinal))
            expected = "Poalish the Poalish table, pollish it.";
        Assert.Equal(expected.Replace("MySQL", spoken.Contains("My S Q L") ? "My S Q L" : "MySQL"), spoken);
        Assert.DoesNotContain(spoken, c => c is '\ua729');
    }

    [Fact]
    public void TheRequestsWordsCountBeforeThePipelines()
    {
        var options = TextOptions.Of(new TtsPipelineOptions { Pronunciations =
            PronunciationDictionary.Parse("a1 = one\nb1 = two\nNew York = three") })
            .For(new SynthesisRequest { Pronunciations = PronunciationDictionary.Parse("a1 = ten\nnew = old") });
        Assert.Equal("ten two three old", TextNormalizer.Normalize("a1 b1 New York new", options, LanguageContext.Of("en", "")));
    }

    [Fact]
    public void TheyCountWhereTextIsNotNormalised()
    {
        var options = new TextOptions { Normalize = false, Pronunciations = [PronunciationDictionary.Parse(Words)] };
        Assert.Equal("Dr. Win has  5 cats", Assert.Single(new TextFrontEnd(TinyTokenizer.Instance).Split("Dr. Nguyen has  5 cats", options)).Text);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void HoweverAStreamIsCutItsWordsAreFound(bool normalize)
    {
        const string text = "we went to new york city by train and then to new york again where we read of Nguyen in 重庆市的大学里面有重庆人在重庆吃饭 and the nginx "
            + "server for GPT-4 in New York City.";
        var options = new TextOptions { Normalize = normalize, Pronunciations = [PronunciationDictionary.Parse(Words)] };
        var random = new Random(3);
        string? whole = null;
        for (var round = 0; round < 60; round++)
        {
            var stream = new StreamingNormalizer(options);
            var spoken = new StringBuilder();
            for (var start = 0; start < text.Length;)
            {
                var length = round == 0 ? text.Length : Math.Min(random.Next(1, 9), text.Length - start);
                spoken.Append(stream.Push(text.Substring(start, length)));
                start += length;
            }
            Assert.Equal(whole ??= spoken.Append(stream.Finish()).ToString(), round == 0 ? whole : spoken.Append(stream.Finish()).ToString());
        }
        Assert.Equal(3, whole!.Split("虫庆").Length - 1);
        Assert.Equal(2, whole.Split("Noo Yawk").Length - 1);
        Assert.Contains("the big apple.", whole);
        Assert.DoesNotContain("重庆", whole);
    }

    [Theory]
    [InlineData("a = b\n\n# c\nword", "line 4 is not an entry: write 'word = spelling'")]
    [InlineData("= b", "line 1: A word has 1 to 64 characters, and a letter or digit among them; this one has 0.")]
    [InlineData("a =", "line 1: A spelling has 1 to 256 characters; that of 'a' has 0.")]
    [InlineData("... = dots", "line 1: A word has 1 to 64 characters")]
    [InlineData("a = b\0", "line 1 has a NUL in it")]
    public void ABadLineIsNamed(string text, string message) =>
        Assert.StartsWith(message, Assert.Throws<FormatException>(() => PronunciationDictionary.Parse(text)).Message);

    [Fact]
    public void LinesWordsAndSpellingsAreBounded()
    {
        Assert.Contains("line 2 is longer than 4,096",
            Assert.Throws<FormatException>(() => PronunciationDictionary.Parse("a = b\n" + new string('x', 5000))).Message);
        Assert.Throws<ArgumentException>(() => new PronunciationDictionary().Add(new string('x', 65), "y"));
        Assert.Throws<ArgumentException>(() => new PronunciationDictionary().Add("x", new string('y', 257)));
    }

    [Fact]
    public void AFileIsReadAndItsFaultsNameIt()
    {
        var path = Path.GetTempFileName();
        try
        {
            File.WriteAllText(path, "\ufeffcafe\u0301 = caffay\r\nb = c\r\n");
            var words = PronunciationDictionary.Load(path);
            Assert.Equal(2, words.Count);
            Assert.Equal("a caffay", TextNormalizer.Normalize("a café", new TextOptions { Pronunciations = [words] }, LanguageContext.Of("en", "")));
            File.WriteAllBytes(path, [0x61, 0x3d, 0xff, 0xfe]);
            Assert.Contains(path, Assert.Throws<FormatException>(() => PronunciationDictionary.Load(path)).Message);
            File.WriteAllText(path, "b");
            Assert.StartsWith($"{path}, line 1 is not an entry", Assert.Throws<FormatException>(() => PronunciationDictionary.Load(path)).Message);
        }
        finally
        {
            File.Delete(path);
        }
        Assert.Throws<FileNotFoundException>(() => PronunciationDictionary.Load(path));
    }
}
