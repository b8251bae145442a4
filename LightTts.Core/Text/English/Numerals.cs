using System.Text.RegularExpressions;

namespace LightTts.Text.English;

/// <summary>How numbers are written: thousands by comma, blank, apostrophe or stop; a decimal point, or a comma.</summary>
internal static partial class Numerals
{
    /// <summary>A number without its sign.</summary>
    public const string Pattern =
        @"(?:\d{1,3}(?:,\d{3}){1,11}(?![\d,]\d|\d)(?:\.\d{1,40})?|\d{1,3}(?: \d{3}){2,6}(?! ?\d)|\d{1,3} 000(?! ?\d)|\d{1,3} \d{3}(?= ?€| (?:people"
        + @"|km|kg|[a-z]{3,20}s)(?!\w))|\d{1,3}(?:\.\d{3}){2,6}(?:,\d{1,2})?(?![\d.]\d|\d)|\d{1,3}(?:'\d{3}){1,6}(?!\d)"
        + @"|\d{1,40}(?:\.\d{1,40})?(?!\d)|\.\d{1,40}(?!\d))";

    /// <summary>Figures with at most one decimal point.</summary>
    public static string Plain(string number)
    {
        if (number.AsSpan().ContainsAnyExcept("0123456789."))
            number = number.Replace(" ", "", StringComparison.Ordinal).Replace("'", "", StringComparison.Ordinal);
        var stop = number.IndexOf('.');
        if (stop != number.LastIndexOf('.'))
            return number.Replace(".", "", StringComparison.Ordinal).Replace(',', '.');
        return number.Replace(",", "", StringComparison.Ordinal);
    }

    /// <summary>The end of a number that starts here; 0: none.</summary>
    public static int End(string text, int start) =>
        start < text.Length && (char.IsAsciiDigit(text[start]) || text[start] == '.') && Written().Match(text, start) is { Success: true } match
        ? start + match.Length : 0;

    /// <summary>"1,5" as a number, where what follows shows that the comma is a decimal one.</summary>
    public static int CommaDecimalEnd(Reading reading, int start)
    {
        var end = start;
        while (char.IsAsciiDigit(reading.At(end)) && end - start < 6)
            end++;
        if (end == start || reading.At(end) != ',' || !char.IsAsciiDigit(reading.At(end + 1)))
            return 0;
        var last = end + 1;
        while (char.IsAsciiDigit(reading.At(last)) && last - end < 4)
            last++;
        if (last - end > 3 || (reading.At(last) == ',' && char.IsAsciiDigit(reading.At(last + 1))) || char.IsAsciiDigit(reading.At(last)))
            return 0;
        var after = reading.SkipBlanks(last);
        var word = reading.Span(after, reading.WordEnd(after));
        // "3,14 is", "is about 2,75.": two places behind a short number, and no list on either side.
        var before = reading.WordBefore(start);
        if (last - end == 3 && end - start <= 3 && reading.At(start - 1) is ' ' or '\0' && reading.At(start - 2) is not (',' or ';')
            && (word is "is" or "was" ? before.IsEmpty || before is "about"
            : before is "about" or "nearly" or "is" or "equals" or "exactly" && word.IsEmpty && reading.At(last) is '.' or '\0'))
            return last;
        // "0,5 l": no list of numbers starts so.
        if (reading.At(start) == '0' && end - start == 1 && reading.Starts(start) && reading.At(start - 1) is not (',' or '.'))
            return last;
        return reading.At(after) is '%' or '€' or '°' || CurrencyLexicon.Scales.Find(word) is not null
            || (word.Length > 1 && UnitLexicon.Units.Find(word) is not null) ? last : 0;
    }

    [GeneratedRegex(@"\G" + Pattern, RegexOptions.CultureInvariant)]
    private static partial Regex Written();
}
