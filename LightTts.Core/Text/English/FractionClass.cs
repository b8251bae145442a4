using System.Text.RegularExpressions;

namespace LightTts.Text.English;

/// <summary>Two numbers with a slash or colon: fractions, marks out of ten, ratios, seasons, 24/7.</summary>
internal sealed partial class FractionClass : SemioticClass
{
    private const string Vulgar = "½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞⅐⅑⅒";

    private static readonly string[] s_vulgar =
        ["1/2", "1/3", "2/3", "1/4", "3/4", "1/5", "2/5", "3/5", "4/5", "1/6", "5/6", "1/8", "3/8", "5/8", "7/8", "1/7", "1/9", "1/10"];

    public override int Read(Reading r, int start)
    {
        if (r.At(start - 1) is '/' or '.' or ':' || (r.At(start - 1) == ',' && char.IsAsciiDigit(r.At(start - 2)))
            || (char.IsLetterOrDigit(r.At(start - 1)) && !Vulgar.Contains(r.At(start))))
            return 0;
        if (Single().Match(r.Text, start) is { Success: true } sign)
        {
            var parts = s_vulgar[Vulgar.IndexOf(sign.Groups[2].Value[0])].Split('/');
            if (sign.Value == "½" && r.WordAfter(start + 1) is "price" or "off" or "term" or "dozen" or "marathon" or "time")
                return Said(r, "half", start + 1);
            return Unit(r, start, start + sign.Length, Fractional(r, sign.Groups[1].ValueSpan, parts[0], parts[1]), sign.Groups[1].Length > 0);
        }
        if (Ratio().Match(r.Text, start) is { Success: true } ratio)
        {
            r.Say($"{r.Number(Numerals.Plain(ratio.Groups[1].Value))} {(ratio.Value is "16:9" or "4:3" or "21:9" or "16:10" ? "by" : "to")} "
                + $"{r.Number(Numerals.Plain(ratio.Groups[2].Value))}");
            if (ratio.Groups[3].Success)
                r.Say("to " + r.Number(ratio.Groups[3].Value));
            return start + ratio.Length;
        }
        if (Slash().Match(r.Text, start) is not { Success: true } match)
            return 0;
        var whole = match.Groups[1].ValueSpan;
        var top = match.Groups[2].Value;
        var bottom = match.Groups[3].Value;
        var end = start + match.Length;
        if (whole.Length > 0 && (top.Contains('.') || bottom.Contains('.')))
            return 0;
        if (top.Contains('.') || bottom.Contains('.'))
            return Said(r, $"{r.Number(top)} out of {r.Number(bottom)}", end);
        var (n, d) = (int.Parse(top), int.Parse(bottom));
        if (whole.IsEmpty && match.Value.Contains(" / ", StringComparison.Ordinal))
            return Said(r, $"{r.Cardinal(top)} divided by {r.Cardinal(bottom)}", end);
        if (whole.IsEmpty)
        {
            if (Season(r, top, bottom) is { } season)
                return Said(r, season, end);
            // "8/7c": the hour in two time zones.
            if (n == d + 1 && r.At(end) == 'c' && r.Ends(end + 1))
                return Said(r, $"{r.Cardinal(top)}, {r.Cardinal(bottom)} central", end + 1);
            if (top is "24" && bottom is "7" && r.Text.AsSpan(end).StartsWith("/365") && r.Ends(end + 4))
                return Said(r, "twenty-four seven three sixty-five", end + 4);
            if (top is "24" && bottom is "7")
                return Said(r, "twenty-four seven", end);
            if ((n, d) is (9, 11) or (7, 7))
                return Said(r, $"{r.Cardinal(top)} {r.Cardinal(bottom)}", end);
            if ((n, d) is (50, 50) or (20, 20) or (60, 40) or (80, 20) or (70, 30) or (20, 40) or (20, 200))
                return Said(r, $"{r.Cardinal(top)} {r.Cardinal(bottom)}", end);
            // The two of the world's mains.
            if ((n, d) is (50, 60) && r.WordAfter(end) is "Hz")
                return Unit(r, start, end, "fifty sixty", plural: true);
            if (d is 10 or 100 && n != 1 && r.WordAfter(end) is not ("of" or "mile" or "inch" or "second" or "in"))
                return Said(r, $"{r.Cardinal(top)} out of {r.Cardinal(bottom)}", end);
            if ((n == d && n > 1) || r.WordBefore(start) is "score" or "scored" or "rating" or "rated" or "got" or "grade" or "quiz" or "exam"
                or "rate" or "Rating" or "Score" || r.WordAfter(end) is "stars" or "score" or "rating" or "questions" or "correct")
                return Said(r, $"{r.Cardinal(top)} out of {r.Cardinal(bottom)}", end);
            // "120/80": a blood pressure and the like.
            if (n > d && d > 12)
                return Unit(r, start, end, $"{r.Cardinal(top)} over {r.Cardinal(bottom)}", plural: true);
        }
        if (d < 2 || n == 0 || (whole.IsEmpty && n > d && (d > 10 || n % d == 0)) || d > 1000 || n > 999)
            return Said(r, $"{(whole.IsEmpty ? "" : r.Cardinal(whole) + " ")}{r.Cardinal(top)} over {r.Cardinal(bottom)}", end);
        return Unit(r, start, end, Fractional(r, whole, top, bottom), whole.Length > 0);
    }

    private static int Said(Reading r, string words, int end)
    {
        r.Say(words);
        return end;
    }

    private static string? Season(Reading r, string top, string bottom)
    {
        if (top.Length != 4 || top[..2] is not ("19" or "20") || bottom.Length is not (2 or 4))
            return null;
        var next = (int.Parse(top) + 1) % 100;
        return int.Parse(bottom) % 100 == next
            ? $"{r.Year(top)} to {(bottom.Length == 4 ? r.Year(bottom) : bottom[0] == '0' ? "oh " + r.Cardinal(bottom) : r.Cardinal(bottom))}" : null;
    }

    private static string Fractional(Reading r, ReadOnlySpan<char> whole, ReadOnlySpan<char> top, ReadOnlySpan<char> bottom)
    {
        var one = top is "1";
        var part = bottom is "2" ? one ? "half" : "halves" : bottom is "4" ? one ? "quarter" : "quarters" : r.Ordinal(bottom) + (one ? "" : "s");
        return whole.IsEmpty ? $"{r.Cardinal(top)} {part}" : $"{r.Cardinal(whole)} and {(one ? "a" : r.Cardinal(top))} {part}";
    }

    /// <summary>A unit may follow: "two and a half inches", "three quarters of an inch" stays "three quarters inch".</summary>
    private static int Unit(Reading r, int start, int end, string words, bool plural)
    {
        r.Say(words);
        return MeasureClass.ReadUnit(r, start, end, plural) is > 0 and var unitEnd ? unitEnd
            : FeetAndInches.Prime(r, start, end, plural) is > 0 and var prime ? prime : end;
    }

    [GeneratedRegex(@"\G(?:(\d{1,6})[ -]?)?([½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞⅐⅑⅒])", RegexOptions.CultureInvariant)]
    private static partial Regex Single();

    [GeneratedRegex(@"\G(\d{1,6}(?:[.,]\d{1,3})?) ?:(\d{1,3}(?:,\d{3}){1,3}|\d{1,6}(?:\.\d{1,2})?)(?::(\d{1,3}))?(?![\d:]|\.\d)",
        RegexOptions.CultureInvariant)]
    private static partial Regex Ratio();

    [GeneratedRegex(@"\G(?:(\d{1,4})[ -])?(\d{1,4}(?:\.\d{1,2})?) ?[/⁄] ?(\d{1,4}(?:\.\d{1,2})?)(?:ths?|rds?|nds?)?(?!\d|/(?!365(?!\d))|[.,]\d)",
        RegexOptions.CultureInvariant)]
    private static partial Regex Slash();
}
