using System.Collections.Frozen;
using System.Text.RegularExpressions;

namespace LightTts.Text.English;

/// <summary>Roman numerals after a name ("the eighth") or after what is counted ("four").</summary>
internal sealed partial class RomanClass : SemioticClass
{
    /// <summary>Those of small letters that front matter is numbered by.</summary>
    public static readonly FrozenSet<string> Small =
        Table.Words("ii iii iv vi vii viii ix xi xii xiii xiv xv xvi xvii xviii xix xx xxi xxii xxiii xxiv xxv xxx xl");

    private static readonly FrozenSet<string> s_counted = Table.Words("""
        Chapter chapter Part part Act act Scene scene Volume volume Section section Book book War Phase phase Type type Class class Appendix Article
        article Episode episode Season season Bowl Level level Stage stage Title title
        Fantasy Rocky Grade grade Figure Table Category Division Mark Apollo Gemini Saturn Unit Lesson Canto Psalm Sonnet Symphony Olympiad Factor
        Art art Vol vol Ch ch Chap chap Sec sec Bk Pt pt Fig fig
        factor Schedule Group Module Step Vatican Godfather Civilization Quest Ultima Region Day Trek Wars Playstation
        """);

    private static readonly FrozenSet<string> s_regnal = Table.Words("""
        John Henry Louis Charles George Elizabeth James Edward William Richard Paul Benedict Pius Philip Napoleon Alexander Frederick Nicholas
        Catherine
        Francis Ivan Peter Leo Gregory Leopold Victoria Mary Ramses Ramesses Xerxes Darius
        Wilhelm Friedrich Ferdinand Joseph Maximilian Rudolf Otto Ludwig Philippe Carlos Juan Alfonso Felipe Umberto Victor Emmanuel Haakon Harald
        Olav Gustav Gustaf Christian Valdemar Margrethe Beatrix Wilhelmina Constantine Justinian
        Theodosius Clement Innocent Urban Boniface Sixtus Julius Adrian Hadrian David Robert Stephen Edmund Harold Baldwin Ptolemy Cleopatra
        Thutmose Amenhotep Seti Mithridates Antiochus Seleucus Selim Mehmed Suleiman Murad Boris
        Feodor Vasily Mikhail Anne Albert Rainier Jean Sigismund Casimir Wladyslaw Stanislaw Pedro Manuel Joao Afonso Abdullah Hussein Faisal Hassan
        Mohammed Rama Pope King Queen Emperor Tsar Kaiser Sultan Thurston Davis Loudon
        """);

    public override int Read(Reading r, int start)
    {
        if (r.At(start - 1) != ' ' && start > 0)
            return 0;
        if (Pages(r, start) is > 0 and var page)
            return page;
        var end = start;
        while (r.At(end) is 'I' or 'V' or 'X' or 'L' or 'C' or 'D' or 'M' && end - start < 10)
            end++;
        // "the XXth century".
        if (end > start && r.Ends(end + 2) && r.Span(end, Math.Min(end + 2, r.Text.Length)) is "th" or "st" or "nd" or "rd"
            && Value(r.Span(start, end)) is > 0 and var place && (end - start > 1 || IsCentury(r, end + 2)))
        {
            r.Say(r.Ordinal(place.ToString()));
            return end + 2;
        }
        if (end == start || !r.Ends(end) || (r.At(end) == '\'' && char.IsLetter(r.At(end + 1)) && r.At(end + 1) != 's')
            || (r.At(end) == '.' && end - start == 1 && char.IsUpper(r.At(r.SkipBlanks(end + 1))) && r.At(end + 1) == ' '
            && !r.EndsSentence(end + 1)))
            return 0;
        var value = Value(r.Span(start, end));
        if (value == 0)
            return 0;
        // "the XIX century".
        if (IsCentury(r, end))
        {
            r.Say(r.Ordinal(value.ToString()));
            return end;
        }
        // Nothing but a numeral looks like these.
        if (r.Span(start, end) is "II" or "III" or "VII" or "VIII" or "XII" or "XIII" or "XIV" or "XVI" or "XVII" or "XVIII"
            && (start == 0 || r.At(start - 2) is '.' or ',' or ':' or '(' || char.IsLower(r.WordBefore(start) is { Length: > 0 } w ? w[0] : 'a'))
            && !s_counted.Has(r.WordBefore(start)))
        {
            r.Say(r.Cardinal(value.ToString()));
            return end;
        }
        // Four letters that make a numeral make no word: "MMXXIV" is a year, "LVII" a number.
        if (end - start > 3 && !s_counted.Has(r.WordBefore(start)) && !s_regnal.Has(r.WordBefore(start)))
        {
            r.Say(value is > 1000 and < 2100 ? r.Year(value.ToString()) : r.Cardinal(value.ToString()));
            return end;
        }
        if (start < 2)
            return 0;
        var before = r.WordBefore(start);
        var counted = s_counted.Has(before);
        if (r.At(start - 2) is ',' or ':' or '(' || (r.At(start - 2) == '.' && !(counted && AbbreviationLexicon.BeforeNumeral.Has(before))))
            return 0;
        var possessive = r.At(end) == '\'' ? end + 2 : end;
        if (counted && (value != 1 || r.At(end) != ' '
            || r.WordAfter(end) is not ("am" or "have" or "was" or "will" or "think" or "would" or "saw" or "did")))
        {
            r.Say(r.Cardinal(value.ToString()));
            return end;
        }
        if (before.StartsWith("Chapter") || before.StartsWith("Part") || before.StartsWith("Act") || before.StartsWith("Volume"))
            {
            r.Say(r.Cardinal(value.ToString()));
            return end;
        }
        var single = end - start == 1;
        var regnal = s_regnal.Has(before) && (!single || r.At(start) is 'V' or 'X' || (r.At(start) == 'I' && !FollowedByVerb(r, end)));
        if (!regnal && !(end - start > 1 && char.IsUpper(before.Length > 2 ? before[0] : 'a') && HasLower(before)
            && !LettersLexicon.Spelt.Has(r.Span(start, end)) && value < 40 && r.Span(start, end).ContainsAny("IVX")))
            return 0;
        // A film's or a game's number is counted, a person's is ordinal; people have small ones and a name on the list.
        r.Say(regnal ? "the " + r.Ordinal(value.ToString()) : r.Cardinal(value.ToString()));
        if (possessive > end)
        {
            r.Spoken.Copy("'s");
            return possessive;
        }
        return end;
    }

    private static bool IsCentury(Reading r, int end) => r.WordAfter(end) is "century" or "centuries" or "Century";

    /// <summary>"pages iv-xii"; 0: none. A single x is a letter of algebra.</summary>
    private static int Pages(Reading r, int start)
    {
        if (r.At(start) is not ('i' or 'v' or 'x' or 'l') || r.WordBefore(start) is not ("page" or "pages" or "Page" or "Pages" or "pp" or "p")
            || PageNumbers().Match(r.Text, start) is not { Success: true } match)
            return 0;
        var (first, last) = (Value(match.Groups[1].Value.ToUpperInvariant()), Value(match.Groups[2].Value.ToUpperInvariant()));
        if (first == 0 || (match.Groups[2].Success ? last == 0 : match.Length == 1 && match.Value is not ("i" or "v")))
            return 0;
        r.Say(r.Cardinal(first.ToString()) + (last > 0 ? " to " + r.Cardinal(last.ToString()) : ""));
        return start + match.Length;
    }

    private static bool HasLower(ReadOnlySpan<char> word) => char.IsLower(word[^1]);

    private static bool FollowedByVerb(Reading r, int end) =>
        r.At(end) == ' ' && r.WordAfter(end)
        is not ("of" or "was" or "and" or "is" or "had" or "ruled" or "reigned" or "died" or "became" or "in" or "at" or "on" or "to" or "by" or "for"
        or "or" or "who" or "with" or "from" or "came");

    /// <summary>The value of a well-formed numeral; 0: it is none.</summary>
    private static int Value(ReadOnlySpan<char> numeral)
    {
        var (sum, previous) = (0, 0);
        for (var i = numeral.Length - 1; i >= 0; i--)
        {
            var value = numeral[i] switch { 'I' => 1, 'V' => 5, 'X' => 10, 'L' => 50, 'C' => 100, 'D' => 500, _ => 1000 };
            sum += value < previous ? -value : value;
            previous = Math.Max(previous, value);
        }
        return sum is > 0 and < 4000 && numeral.SequenceEqual(Write(sum)) ? sum : 0;
    }

    [GeneratedRegex(@"\G([ivxl]{1,7})(?: ?[-–] ?([ivxl]{1,7}))?(?![\p{L}\d])", RegexOptions.CultureInvariant)]
    private static partial Regex PageNumbers();

    private static string Write(int value)
    {
        ReadOnlySpan<(int Value, string Letters)> letters =
            [(1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC"), (50, "L"), (40, "XL"), (10, "X"), (9, "IX"), (5, "V"),
            (4, "IV"), (1, "I")];
        var written = "";
        foreach (var (amount, sign) in letters)
            for (; value >= amount; value -= amount)
                written += sign;
        return written;
    }
}
