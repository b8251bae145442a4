using System.Text.RegularExpressions;

namespace LightTts.Text;

/// <summary>Dates, years and times of day, in English words.</summary>
internal static partial class EnglishDates
{
    private const string Month =
        @"(Jan(?:uary|\.)?|Feb(?:ruary|\.)?|Mar(?:ch|\.)?|Apr(?:il|\.)?|May|June?|July?|Aug(?:ust|\.)?|Sept?(?:ember|\.)?|Oct(?:ober|\.)?|Nov(?:ember|\.)?|Dec(?:ember|\.)?)";

    private static readonly string[] s_months =
        ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];

    /// <summary>Writes them out.</summary>
    public static string Expand(string text)
    {
        if (!text.AsSpan().ContainsAnyInRange('0', '9'))
            return text;
        text = YearFirst().Replace(text, m => Date(m, m.Groups[3], m.Groups[2], m.Groups[1]));
        text = Slashed().Replace(text, m => int.Parse(m.Groups[1].ValueSpan) > 12
            ? Date(m, m.Groups[1], m.Groups[2], m.Groups[3]) : Date(m, m.Groups[2], m.Groups[1], m.Groups[3]));
        text = Dotted().Replace(text, m => Date(m, m.Groups[1], m.Groups[2], m.Groups[3]));
        text = MonthDay().Replace(text, m => $"{FullMonth(m.Groups[1].Value)} {EnglishNumbers.Ordinal(m.Groups[2].ValueSpan)}{After(m.Groups[3])}");
        text = DayMonth().Replace(text, m => $"the {EnglishNumbers.Ordinal(m.Groups[1].ValueSpan)} of {FullMonth(m.Groups[2].Value)}{After(m.Groups[3])}");
        text = MonthYear().Replace(text, m => $"{FullMonth(m.Groups[1].Value)} {EnglishNumbers.Year(m.Groups[2].ValueSpan)}");
        text = Clock().Replace(text, m => Time(m.Groups[1].ValueSpan, m.Groups[2].ValueSpan, m.Groups[3].ValueSpan, m.Groups[4].Value) ?? m.Value);
        text = Hour().Replace(text, m => $"{EnglishNumbers.Cardinal(m.Groups[1].ValueSpan)} {HalfDay(m.Groups[2].Value)}");
        text = Decade().Replace(text, m => EnglishNumbers.Plural(EnglishNumbers.Year(m.Groups[1].ValueSpan)));
        text = YearRange().Replace(text, m => $"{EnglishNumbers.Year(m.Groups[1].ValueSpan)} to {(m.Groups[2].Length == 4
            ? EnglishNumbers.Year(m.Groups[2].ValueSpan) : EnglishNumbers.Cardinal(m.Groups[2].ValueSpan))}");
        text = YearAfterWord().Replace(text, m => m.Groups[1].Value + EnglishNumbers.Year(m.Groups[2].ValueSpan));
        return BareYear().Replace(text, m => EnglishNumbers.Year(m.ValueSpan));
    }

    private static string Date(Match match, Group day, Group month, Group year) =>
        int.Parse(month.ValueSpan) is >= 1 and <= 12 and var m && int.Parse(day.ValueSpan) is >= 1 and <= 31
            ? $"{s_months[m - 1]} {EnglishNumbers.Ordinal(day.ValueSpan)}, {(year.Length == 4 ? EnglishNumbers.Year(year.ValueSpan) : EnglishNumbers.Number(year.Value))}"
            : match.Value;

    private static string After(Group year) => year.Success ? ", " + EnglishNumbers.Year(year.ValueSpan) : "";

    private static string FullMonth(string name) => Array.Find(s_months, month => month.StartsWith(name[..3], StringComparison.OrdinalIgnoreCase))!;

    private static string? Time(ReadOnlySpan<char> hour, ReadOnlySpan<char> minute, ReadOnlySpan<char> second, string half)
    {
        if (int.Parse(hour) > 24 || int.Parse(minute) > 59)
            return null;
        var words = EnglishNumbers.Cardinal(hour) + (minute is "00" ? half.Length > 0 || second.Length > 0 ? "" : int.Parse(hour) is > 12 or 0 ? " hundred" : " o'clock"
            : minute[0] == '0' ? " oh " + EnglishNumbers.Cardinal(minute) : " " + EnglishNumbers.Cardinal(minute));
        if (second.Length > 0)
            words += $" and {EnglishNumbers.Cardinal(second)} second{(int.Parse(second) == 1 ? "" : "s")}";
        return half.Length > 0 ? $"{words} {HalfDay(half)}" : words;
    }

    private static string HalfDay(string letter) => letter is "a" or "A" ? "A M" : "P M";

    [GeneratedRegex(@"(?<![\w-])(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?![\w-])")]
    private static partial Regex YearFirst();

    [GeneratedRegex(@"(?<![\w/])(\d{1,2})/(\d{1,2})/(\d{4}|\d{2})(?![\w/])")]
    private static partial Regex Slashed();

    [GeneratedRegex(@"(?<![\w.])(\d{1,2})\.(\d{1,2})\.(\d{4})(?!\w|\.\d)")]
    private static partial Regex Dotted();

    [GeneratedRegex(@"\b" + Month + @" (\d{1,2})(?:st|nd|rd|th)?\b(?![.:,]\d)(?: ?-(?!\d))?(?:,? (\d{4})\b(?![.,:]\d))?")]
    private static partial Regex MonthDay();

    [GeneratedRegex(@"(?:\b[Tt]he )?(?<![\w.,:/$€£])(\d{1,2})(?:st|nd|rd|th)? (?:of )?" + Month + @"(?!\w)(?:,? (\d{4})\b(?![.,:]\d))?")]
    private static partial Regex DayMonth();

    [GeneratedRegex(@"\b" + Month + @",? (\d{4})\b(?![.,:]\d)")]
    private static partial Regex MonthYear();

    [GeneratedRegex(@"(?<![\w:.])(\d{1,2}):(\d{2})(?::(\d{2}))?(?![\d:])(?: ?([AaPp])\.?[Mm]\b(?:\.(?=,| \p{Ll}))?)?")]
    private static partial Regex Clock();

    [GeneratedRegex(@"(?<![\w:.,])(\d{1,2}) ?([AaPp])(?:\.[Mm]|[Mm])\b(?:\.(?=,| \p{Ll}))?")]
    private static partial Regex Hour();

    [GeneratedRegex(@"(?<![\w.,])'?((?:1[0-9]|20)?\d0)'?s\b")]
    private static partial Regex Decade();

    [GeneratedRegex(@"(?<![\w.,$€£-])(1[1-9]\d\d|20\d\d) ?[-–—] ?(1[1-9]\d\d|20\d\d|\d\d)(?![\w-]|[.,]\d)")]
    private static partial Regex YearRange();

    [GeneratedRegex(@"\b((?:[Ii]n|[Ss]ince|[Uu]ntil|[Tt]ill|[Bb]y|[Yy]ear|[Bb]efore|[Aa]fter|[Cc]irca|[Dd]uring|[Ee]arly|[Ll]ate|[Mm]id|[Ss]pring|[Ss]ummer|[Aa]utumn|[Ff]all|[Ww]inter) )(1\d{3}|20\d\d)(?![\w%-]|[.,:]\d)")]
    private static partial Regex YearAfterWord();

    // Without such a word before it: years of these two centuries that do not count something in the plural.
    [GeneratedRegex(@"(?<![\w.,:/$€£#+-]|[$€£+=×] |\bnumber )(?:19|20)\d\d(?![\w%/°:-]|[.,:]\d| ?[%°+=×÷]| (?:kg|km|cm|mm|m|g|mg|ml|[KMGT]B|Hz|kW|W|mph|dollars|euros|people|million|billion)\b| \p{Ll}{2,20}s\b(?<! (?:was|has|its|this|does)))")]
    private static partial Regex BareYear();
}
