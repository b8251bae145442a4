using System.Text;
using LightTts.Text;

namespace LightTts.Tests.Text;

/// <summary>The tables of how figures are read in languages beside English and Chinese, by class.</summary>
public sealed class LanguageCasesTests
{
    private static readonly string[] s_languages = ["de", "fr", "es", "it", "ru", "ja", "ko"];

    public static TheoryData<string, string> Classes
    {
        get
        {
            var classes = new TheoryData<string, string>();
            foreach (var language in s_languages)
                foreach (var name in Rows(language).Select(row => row[0]).Distinct())
                    classes.Add(language, name);
            return classes;
        }
    }

    [Theory]
    [MemberData(nameof(Classes))]
    public void IsReadAsACarefulReaderWould(string language, string name)
    {
        var wrong = new StringBuilder();
        foreach (var row in Rows(language).Where(row => row[0] == name))
            if (Read(row[1], language) is var spoken && spoken != row[2])
                wrong.AppendLine($"{row[1]}: wanted \"{row[2]}\", was \"{spoken}\"");
        Assert.True(wrong.Length == 0, wrong.ToString());
    }

    [Fact]
    public void EveryTableIsWhole() => Assert.All(s_languages, language =>
    {
        Assert.InRange(Rows(language).Count(), 100, int.MaxValue);
        foreach (var name in new[] { "number", "decimal", "year", "ordinal", "date", "time", "money", "percent", "unit", "sentence" })
            Assert.Contains(Rows(language), row => row[0] == name);
    });

    /// <summary>A sentence shows its language by itself.</summary>
    [Fact]
    public void SentencesAreReadAlikeWithoutALanguageNamed() => Assert.All(s_languages, language =>
    {
        foreach (var row in Rows(language).Where(row => row[0] == "sentence"))
            Assert.Equal(row[2], Read(row[1], null));
    });

    [Fact]
    public void TheSpokenTextHasNoFigures() => Assert.All(s_languages, language =>
    {
        foreach (var row in Rows(language))
            Assert.DoesNotContain(Read(row[1], language), char.IsAsciiDigit);
    });

    [Fact]
    public void AnyStringIsReadInAnyLanguage()
    {
        var random = new Random(5);
        for (var round = 0; round < 20_000; round++)
        {
            var text = string.Create(random.Next(1, 50), random, static (span, random) =>
            {
                foreach (ref var c in span)
                    c = random.Next(4) switch
                    {
                        0 => (char)random.Next(0x10000),
                        1 => "aer. -"[random.Next(6)],
                        2 => "0123456789.,:/-$%€ 'º"[random.Next(20)],
                        _ => "мгодкh年月円원시개"[random.Next(12)],
                    };
            });
            Assert.NotNull(Read(text, s_languages[round % s_languages.Length]));
        }
    }

    [Theory]
    [InlineData("1.")]
    [InlineData("1 ")]
    [InlineData("12:")]
    [InlineData("5 €")]
    [InlineData("3. Mai ")]
    [InlineData("1-")]
    [InlineData("1/2")]
    public void WorkGrowsWithLengthOnly(string unit)
    {
        foreach (var language in s_languages)
        {
            Time(200);
            var (small, large) = (Time(1_000), Time(8_000));
            Assert.True(large < 40 * small + TimeSpan.FromSeconds(1), $"{language}: {small}, then {large}");

            TimeSpan Time(int times)
            {
                var text = string.Concat(Enumerable.Repeat(unit, times));
                var watch = System.Diagnostics.Stopwatch.StartNew();
                Read(text, language);
                return watch.Elapsed;
            }
        }
    }

    private static string Read(string text, string? language) =>
        TextNormalizer.Normalize(text, TextOptions.Default with { Language = language }, LanguageContext.Of(language, text)).Trim();

    private static IEnumerable<string[]> Rows(string language) =>
        File.ReadLines(Path.Combine(AppContext.BaseDirectory, "Text", "Cases", language + ".tsv")).Where(line => line.Length > 0).Select(line =>
        line.Split('\t'));
}
