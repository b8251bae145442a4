using System.Text;
using LightTts.Text;

namespace LightTts.Tests.Text;

/// <summary>The table of how English is read, by class, and what holds for every text.</summary>
public sealed class EnglishCasesTests
{
    public static TheoryData<string> Classes
    {
        get
        {
            var classes = new TheoryData<string>();
            foreach (var name in Rows().Select(row => row[0]).Distinct())
                classes.Add(name);
            return classes;
        }
    }

    [Theory]
    [MemberData(nameof(Classes))]
    public void IsReadAsACarefulReaderWould(string name)
    {
        var wrong = new StringBuilder();
        foreach (var row in Rows().Where(row => row[0] == name))
        {
            var options = new ReadingOptions(British: row.Length > 3 && row[3] == "uk", NameEmoji: row.Length > 3 && row[3] == "emoji");
            var spoken = EnglishNormalizer.Normalize(row[1], options).Trim();
            if (spoken != row[2])
                wrong.AppendLine($"{row[1]}: wanted \"{row[2]}\", was \"{spoken}\"");
        }
        Assert.Equal("", wrong.ToString());
    }

    [Fact]
    public void TheTableIsWhole() => Assert.InRange(Rows().Count(), 600, int.MaxValue);

    [Fact]
    public void WordsInOtherLettersAreKept()
    {
        const string text = "Ελλάδα и Россия, naïve Zoë's café — señor Ångström";
        Assert.Equal("Ελλάδα и Россия, naïve Zoë's café, señor Ångström", EnglishNormalizer.Normalize(text));
    }

    [Fact]
    public void AnyStringIsReadInLinearTime()
    {
        var random = new Random(5);
        for (var round = 0; round < 100_000; round++)
        {
            var text = string.Create(random.Next(1, 60), random, static (span, random) =>
            {
                foreach (ref var c in span)
                    c = random.Next(4) switch
                    {
                        0 => (char)random.Next(0x10000),
                        1 => (char)random.Next(32, 127),
                        2 => "0123456789.,:/-$%' \"½°"[random.Next(22)],
                        _ => "aAIVXsthPMdv.e'&#@_"[random.Next(19)],
                    };
            });
            Assert.NotNull(EnglishNormalizer.Normalize(text, new ReadingOptions(round % 2 == 0, round % 3 == 0)));
        }
    }

    [Theory]
    [InlineData("1,")]
    [InlineData("a.")]
    [InlineData("12-")]
    [InlineData("$1.")]
    [InlineData("a@a.")]
    [InlineData("[a](")]
    [InlineData("\"5\" ")]
    [InlineData("aB")]
    [InlineData("A&")]
    [InlineData("5 May ")]
    public void WorkGrowsWithLengthOnly(string unit)
    {
        // Allocated bytes: what the machine does beside it changes nothing.
        Allocated(100);
        var (small, large) = (Allocated(2_000), Allocated(16_000));
        Assert.True(large < 14 * small, $"{small} bytes, then {large} bytes");

        long Allocated(int times)
        {
            var text = string.Concat(Enumerable.Repeat(unit, times));
            var before = GC.GetAllocatedBytesForCurrentThread();
            EnglishNormalizer.Normalize(text);
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }
    }

    private static IEnumerable<string[]> Rows() =>
        File.ReadLines(Path.Combine(AppContext.BaseDirectory, "Text", "Cases", "english.tsv")).Where(line => line.Length > 0).Select(line =>
        line.Split('\t'));
}
