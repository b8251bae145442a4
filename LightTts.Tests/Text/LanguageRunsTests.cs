using System.Text;
using LightTts.Text;

namespace LightTts.Tests.Text;

public sealed class LanguageRunsTests
{
    [Theory]
    // Each run in its own language.
    [InlineData("He paid五百元for寿司", "He paid五百元for寿司")]
    [InlineData("He paid 5 dollars for寿司", "He paid five dollars for寿司")]
    [InlineData("He has 3 cats and我有3只猫", "He has three cats and我有三只猫")]
    [InlineData("我有3只猫, and he has 3 cats.", "我有三只猫, and he has three cats.")]
    [InlineData("买了3 apples", "买了三apples")]
    [InlineData("我用MP3听歌", "我用M P三听歌")]
    [InlineData("他说OK，5点见。", "他说OK，五点见。")]
    [InlineData("长5km重3kg的鱼", "长五公里重三公斤的鱼")]
    [InlineData("温度20°C左右", "温度二十摄氏度左右")]
    // Japanese, Korean, Russian; Greek: as written.
    [InlineData("東京タワーは333mです。", "東京タワーは三百三十三メートルです。")]
    [InlineData("値段は500円です", "値段は五百円です")]
    [InlineData("가격은 5 % 입니다", "가격은 오 퍼센트 입니다")]
    [InlineData("Он купил iPhone 15 за 5 $.", "Он купил iPhone пятнадцать за пять долларов.")]
    [InlineData("Η τιμή είναι 5 €", "Η τιμή είναι 5 €")]
    // Latin letters, another language.
    [InlineData("Das kostet 5 € am 3. Mai", "Das kostet fünf Euro am dritten Mai")]
    [InlineData("Das Buch kostet 5 %", "Das Buch kostet fünf Prozent")]
    [InlineData("Il y a 5 % de plus dans les prix", "Il y a cinq pour cent de plus dans les prix")]
    [InlineData("El precio es 5 € por kilo", "El precio es cinco euros por kilo")]
    [InlineData("Costa 5 € al chilo, più o meno", "Costa cinque euro al chilo, più o meno")]
    [InlineData("Het kost 5 € en dat is niet veel", "Het kost 5 € en dat is niet veel")]
    [InlineData("To kosztuje 5 zł, ale nie teraz", "To kosztuje 5 zł, ale nie teraz")]
    [InlineData("Custa 5 € e não é muito, mas você tem", "Custa 5 € e não é muito, mas você tem")]
    [InlineData("Це коштує 5 гривень і не більше", "Це коштує 5 гривень і не більше")]
    [InlineData("La Scala, 5 km", "La Scala, five kilometers")]
    // English that looks foreign.
    [InlineData("El Paso is 5 km away", "El Paso is five kilometers away")]
    [InlineData("Los Angeles, 5 km", "Los Angeles, five kilometers")]
    [InlineData("Das Boot, 5 km", "Das Boot, five kilometers")]
    [InlineData("a café with 5 tables", "a café with five tables")]
    [InlineData("She said c'est la vie and paid $5", "She said c'est la vie and paid five dollars")]
    [InlineData("Write to com@la.des 5 times", "Write to com at la dot des five times")]
    [InlineData("5 die in crash", "five die in crash")]
    public void EachRunIsReadInItsLanguage(string text, string expected) => Assert.Equal(expected, TextNormalizer.Normalize(text));

    [Theory]
    [InlineData("de", "Der ICE 5 %", "Der ICE fünf Prozent")]
    [InlineData("de-AT", "5 %", "fünf Prozent")]
    [InlineData("ja", "東京 5 %", "東京五パーセント")]
    [InlineData("en", "Das kostet 5 %", "Das kostet five percent")]
    [InlineData("en-GB", "5 %", "five percent")]
    [InlineData("zh", "5%", "百分之五")]
    [InlineData("zh-Hans", "日本5%", "日本百分之五")]
    [InlineData(null, "5 %", "five percent")]
    public void ALanguageThatIsNamedCounts(string? language, string text, string expected) =>
        Assert.Equal(expected, TextNormalizer.Normalize(text, TextOptions.Default with { Language = language }, LanguageContext.Of(language, text)));

    [Fact]
    public void WhatStandsNearDecidesWhereASentenceDoesNot()
    {
        var frontEnd = new TextFrontEnd(TinyTokenizer.Instance);
        var german = string.Concat(frontEnd.Split("Das ist nicht der Preis, den wir kennen. Preise: 5 %. Und das ist auch gut.",
            TextOptions.Default).Select(segment => segment.Text));
        Assert.Contains("Preise: fünf Prozent.", german);
        var english = string.Concat(frontEnd.Split("This is not the price that we know. Prices: 5 %. And that is good.",
            TextOptions.Default).Select(segment => segment.Text));
        Assert.Contains("five percent", english);
        var japanese = string.Concat(frontEnd.Split("これは東京都庁です。高度300米。とても高いですね。", TextOptions.Default).Select(segment => segment.Text));
        Assert.Contains("三百", japanese);
    }

    [Theory]
    [InlineData("Das kostet heute 5 € und morgen 6 €, aber das ist nicht so schlimm, denn wir haben noch 20 % mehr Geld als gestern um 5 Uhr.")]
    [InlineData("He has 3 cats and 我有3只猫在家里等我们回去吃饭 and then he paid $5 for the food that was left after the 2 dogs ate.")]
    [InlineData("これは東京タワーで高さは333mです。とても高いですね、そして5 % 安い。 Then English words came and 5 cats.")]
    [InlineData("Il y a 5 % de plus dans les prix que nous avons vus, and then there were 5 cats in the house with the 2 dogs that we have seen.")]
    public void HoweverAStreamIsCutItIsReadAlike(string text)
    {
        var random = new Random(5);
        var whole = Stream(text, () => text.Length);
        for (var round = 0; round < 80; round++)
            Assert.Equal(whole, Stream(text, () => random.Next(1, 9)));
    }

    [Fact]
    public void AStreamInAnotherLanguageIsReadInIt() =>
        Assert.Equal("Das kostet fünf Euro am dritten Mai und zwanzig Prozent mehr.", Stream("Das kostet 5 € am 3. Mai und 20 % mehr.", () => 3));

    private static string Stream(string text, Func<int> length)
    {
        var stream = new StreamingNormalizer(TextOptions.Default);
        var spoken = new StringBuilder();
        for (var start = 0; start < text.Length;)
        {
            var count = Math.Min(length(), text.Length - start);
            spoken.Append(stream.Push(text.Substring(start, count)));
            start += count;
        }
        return spoken.Append(stream.Finish()).ToString();
    }
}
