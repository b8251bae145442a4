using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using LightTts.Tests.Support;
using LightTts.Text;

namespace LightTts.Tests.Text;

public sealed partial class FrontEndFuzzTests
{
    // What rules turn on, and the marks that change what stands beside them.
    private static readonly string[] s_atoms =
    [
        "5", "12", "2025", "3.14", "1,000", "%", "$", "€", "km", "kg", "Dr.", "St.", "e.g.", "No.", "IV", "FBI", "am", "pm", ":", "-", "–", "/", ".",
            ",", "!", "?", "\"", "'", "(", ")", "[", "]", "<", ">", "&",
        "+", "=", "@", "#", "_", "*", "~", "|", "\\", "^", "½", "²", "°C", "\n", "\t", " ", "  ", "www.", "http://", ".com", "a@b.co", "[laughter]",
        "[AA1]", "<|endofprompt|>", "<|", "|>", "&amp;", "🙂", "❤️",
        "👩\u200d💻", "\u0301", "\ud800", "\udc00", "\u200b", "\u00ad", "\ufeff", "你", "五百元", "。", "，", "か", "ア", "한", "я", "ж", "λ", "π", "ع", "ש",
        "ก", "é", "ß", "Ł", "ﬁ", "１", "Ａ", "𠀀", "𝒜", "ǅ", "ª", "ʼ",
        "\ua726", "\ua729", "\0", "\u2028", "der", "und", "the", "and",
    ];

    // Words that no rule has anything to say about.
    private static readonly string[] s_words = ["garden", "window", "yellow", "marble", "thunder", "basket"];

    [Fact]
    public void AnyTextIsReadAndNoLetterIsLost()
    {
        var frontEnd = new TextFrontEnd(TinyTokenizer.Instance);
        var count = FullRun.Pick(20_000, 1_000_000);
        Parallel.For(0, 16, part =>
        {
            var random = new Random(1000 + part);
            for (var i = part; i < count; i += 16)
                Check(frontEnd, Text(random), random);
        });
    }

    private static void Check(TextFrontEnd frontEnd, string text, Random random)
    {
        try
        {
            var end = 0;
            var spoken = new StringBuilder();
            foreach (var segment in frontEnd.Split(text, TextOptions.Default))
            {
                Assert.InRange(segment.Tokens.Length, 1, TextFrontEnd.MaxTokens);
                Assert.True(segment.Source.Start.Value >= 0 && segment.Source.End.Value <= text.Length
                    && segment.Source.Start.Value < segment.Source.End.Value);
                Assert.True(segment.Source.End.Value >= end);
                end = segment.Source.End.Value;
                spoken.Append(segment.Text).Append(' ');
            }
            NothingIsLost(text, spoken.ToString());
            var stream = new StreamingNormalizer(TextOptions.Default);
            spoken.Clear();
            for (int start = 0, length; start < text.Length; start += length)
                spoken.Append(stream.Push(text.Substring(start, length = Math.Min(random.Next(1, 40), text.Length - start))));
            NothingIsLost(text, spoken.Append(stream.Finish()).ToString());
        }
        catch (Exception e)
        {
            var shown = string.Concat(text.Select(c => c is >= ' ' and < '\u007f' ? c.ToString() : $"\\u{(int)c:x4}"));
            throw new InvalidOperationException($"\"{shown}\": {e.Message}", e);
        }
    }

    /// <summary>Letters that are not ASCII have no rules but three; of the others, whole
    /// words that no rule knows stay, and a figure leaves words or itself.</summary>
    private static void NothingIsLost(string text, string spoken)
    {
        // Where something between a letter and a mark goes, the two become one: letters are compared after that.
        var clean = TextCleaner.Clean(text);
        Assert.True(Letters(text).Values.Sum() <= Letters(clean).Values.Sum(), "a letter was lost in cleaning");
        var left = Letters(spoken);
        // What stands between < and > may be a tag of markup, which nobody reads, and "<3" a heart; all else stays.
        var read = MayBeTag().Replace(clean, " ");
        foreach (var (letter, times) in Letters(read))
            // Latin letters may lose their marks to a unit or a number that they stand at.
            if (letter is >= 0x250 and not (>= 0x1E00 and <= 0x1EFF)
                || !clean.Any(c => char.GetUnicodeCategory(c) == UnicodeCategory.NonSpacingMark))
                Assert.True(left.GetValueOrDefault(letter) >= times, $"U+{letter:X4} was lost: {spoken}");
        foreach (var word in s_words)
            Assert.True(Count(spoken, word) >= Count(read, $" {word} "), $"{word} was lost: {spoken}");
        if (read.Any(char.IsAsciiDigit))
            Assert.True(spoken.Any(char.IsLetterOrDigit), "the figures were lost");
    }

    [Theory]
    [InlineData("if (count <limit) ждать", "ждать", "limit")]
    [InlineData("a <vector> of это <map>", "vector", "map", "это")]
    [InlineData("это <это> и <ещё одно> слово", "это <это>", "ещё одно")]
    [InlineData("5 < 6 and 7 > 3", "five", "six", "seven", "three")]
    [InlineData("<stdio.h> слово", "stdio dot h", "слово")]
    public void AnAngleBracketTakesNothingWithIt(string text, params string[] kept)
    {
        var spoken = string.Join(' ', new TextFrontEnd(TinyTokenizer.Instance).Split(text, TextOptions.Default).Select(segment => segment.Text));
        Assert.All(kept, part => Assert.All(part.Split([' ', '<', '>'], StringSplitOptions.RemoveEmptyEntries), word =>
            Assert.Contains(word, spoken)));
        NothingIsLost(text, spoken);
    }

    [GeneratedRegex(@"</?[A-Za-z][A-Za-z0-9]{0,11}(?: [^<>]{0,200})?/?>|<3")]
    private static partial Regex MayBeTag();

    /// <summary>Letters beyond ASCII, in form C, with variants of ASCII ones and what rules
    /// read out left aside: compatibility letters, letters used as signs, modifiers. A unit
    /// that is written out changes a letter's case ("9 В", "девять вольт").</summary>
    private static Dictionary<int, int> Letters(string text)
    {
        var letters = new Dictionary<int, int>();
        foreach (var rune in UnicodeComposition.Normalize(text).EnumerateRunes())
            if (rune.Value >= 0x80 && Rune.GetUnicodeCategory(rune) is UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter
            or UnicodeCategory.TitlecaseLetter or UnicodeCategory.OtherLetter
                && Scripts.Of(rune) != Script.None
                && rune.Value is not ((>= 0xFB00 and <= 0xFB06) or (>= 0xFF21 and <= 0xFF5A) or (>= 0x370 and <= 0x3FF)
                or (>= 0x13A and <= 0x1C9 and 0x149)))
            {
                var letter = Rune.ToLowerInvariant(rune).Value;
                letters[letter] = letters.GetValueOrDefault(letter) + 1;
            }
        return letters;
    }

    private static int Count(string text, string part)
    {
        var count = 0;
        for (var at = text.IndexOf(part, StringComparison.Ordinal); at >= 0; at = text.IndexOf(part, at + part.Length - 1, StringComparison.Ordinal))
            count++;
        return count;
    }

    private static string Text(Random random)
    {
        var text = new StringBuilder();
        var kind = random.Next(4);
        for (var left = random.Next(1, 40); left > 0; left--)
            _ = (kind == 3 ? random.Next(3) : kind) switch
            {
                0 => text.Append(s_atoms[random.Next(s_atoms.Length)]),
                1 => random.Next(3) == 0 ? text.Append(' ').Append(s_words[random.Next(s_words.Length)]).Append(' ')
                : text.Append(s_atoms[random.Next(s_atoms.Length)]),
                _ => text.Append(random.Next(4) switch
            {
                    0 => ((char)random.Next(0x20, 0x7f)).ToString(),
                    1 => ((char)random.Next(0x10000)).ToString(),
                    2 => char.ConvertFromUtf32(random.Next(0x10000, 0x110000)),
                    _ => ((char)random.Next(0xA0, 0x600)).ToString(),
                }),
            };
        return text.ToString();
    }

    [Theory]
    [InlineData("word ")]
    [InlineData("a")]
    [InlineData("1")]
    [InlineData("½")]
    [InlineData("1.1.")]
    [InlineData("€5")]
    [InlineData("(555) 123-")]
    [InlineData("....x")]
    [InlineData("1! ")]
    [InlineData("Dr. ")]
    [InlineData("AB ")]
    [InlineData("a@a.")]
    [InlineData("http://a.")]
    [InlineData("<|a")]
    [InlineData("[AA1]")]
    [InlineData("1你a")]
    [InlineData("你1")]
    [InlineData("я5")]
    [InlineData("\n ")]
    [InlineData("a\u0301\u0301")]
    [InlineData("der 5 ")]
    public void EightTimesTheTextIsAboutEightTimesTheWork(string unit)
    {
        var frontEnd = new TextFrontEnd(TinyTokenizer.Instance);
        var options = new TextOptions { Pronunciations = [PronunciationDictionary.Parse("a a a = b\nword word = x\n你你你 = c\n1 = one")] };
        // Allocated bytes are counted, which no other load on the machine changes; what scans without allocating is bounded by its patterns.
        Work(unit, 24_000, frontEnd, options);
        var (small, large) = (Work(unit, 3_000, frontEnd, options), Work(unit, 24_000, frontEnd, options));
        // Quadratic work would be 64 times as much.
        Assert.True(large < 14 * small, $"{small} bytes, then {large} bytes");
    }

    private static long Work(string unit, int length, TextFrontEnd frontEnd, TextOptions options)
    {
        var text = new StringBuilder().Insert(0, unit, length / unit.Length).Append('x').ToString();
        var before = GC.GetAllocatedBytesForCurrentThread();
        foreach (var _ in frontEnd.Split(text, options))
        {
        }
        var stream = new StreamingNormalizer(options);
        for (var start = 0; start < text.Length; start += 5)
            stream.Push(text.Substring(start, Math.Min(5, text.Length - start)));
        stream.Finish();
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }
}
