using System.Text.RegularExpressions;

namespace LightTts.Text.English;

/// <summary>Dates in figures or with the month's name; ranges of days, weekdays and months.</summary>
internal sealed partial class DateClass : SemioticClass
{
    private const string Month =
        @"(Jan(?:uary|\.)?|Feb(?:ruary|\.)?|Mar(?:ch|\.)?|Apr(?:il|\.)?|May|June?\.?|July?\.?|Aug(?:ust|\.)?|Sept?(?:ember|\.)?|Oct(?:ober|\.)?"
        + @"|Nov(?:ember|\.)?|Dec(?:ember|\.)?)(?!\p{L})";

    private const string Day = @"(3[01]|[12]\d|0?[1-9])(?:st|nd|rd|th)?(?![\w%°]|[.:,/]\d)";
    private const string YearTail = @"(?:,? (\d{4})(?![\w%]|[.,:/-]\d))?";

    public override int Read(Reading r, int start) =>
        char.IsAsciiDigit(r.At(start)) ? r.Starts(start) && r.At(start - 1) is not ('.' or '/' or ':' or ',' or '$' or '£' or '€')
        ? ReadFigures(r, start) : 0 : ReadName(r, start);

    private static int ReadFigures(Reading r, int start)
    {
        if (YearFirst().Match(r.Text, start) is { Success: true } iso
            && Say(r, iso.Groups[4].ValueSpan, iso.Groups[3].ValueSpan, iso.Groups[1].ValueSpan))
        {
            if (iso.Groups[5].Success)
            {
                var hour = iso.Groups[5].ValueSpan;
                var minute = iso.Groups[6].ValueSpan;
                var second = iso.Groups[7].ValueSpan;
                var zone = iso.Groups[8].Value;
                r.Say("at");
                r.Say(TimeClass.Clock(r, hour, minute, ""));
                if (second.Length > 0 && second is not "00")
                    r.Say($"and {r.Cardinal(second)} {(second is "01" ? "second" : "seconds")}");
                if (zone == "Z")
                    r.Say("U T C");
                else if (zone.Length > 0)
                    r.Say($"U T C {(zone[0] == '+' ? "plus" : "minus")} {r.Cardinal(zone.AsSpan(1, 2))}");
            }
            return iso.Index + iso.Length;
        }
        if (YearAndMonth().Match(r.Text, start) is { Success: true } pair
            && int.Parse(pair.Groups[2].ValueSpan) <= int.Parse(pair.Groups[1].ValueSpan) % 100)
        {
            r.Say($"{DateLexicon.Months[int.Parse(pair.Groups[2].ValueSpan) - 1]} {r.Year(pair.Groups[1].ValueSpan)}");
            return start + pair.Length;
        }
        if (Numeric().Match(r.Text, start) is { Success: true } date)
        {
            var first = date.Groups[1].ValueSpan;
            var second = date.Groups[3].ValueSpan;
            var year = date.Groups[4].ValueSpan;
            var dayFirst = int.Parse(first) > 12 || (int.Parse(second) <= 12 && (r.British || date.Groups[2].Value == "."));
            if ((year.Length == 4 || date.Groups[2].Value == "/") && (dayFirst ? Say(r, first, second, year) : Say(r, second, first, year)))
                return start + date.Length;
        }
        if (DayMonth().Match(r.Text, start) is { Success: true } named)
        {
            var the = r.WordBefore(start) is "the" or "The" ? "" : "the ";
            var until = named.Groups[2].Success ? $" to {r.Ordinal(named.Groups[2].ValueSpan)}" : "";
            var words = $"{the}{r.Ordinal(named.Groups[1].ValueSpan)}{until} of {DateLexicon.MonthNames[named.Groups[3].Value.TrimEnd('.')]}";
            return Finish(r, words, named, named.Groups[4]);
        }
        if (MonthAndDay().Match(r.Text, start) is { Success: true } bare)
        {
            var a = int.Parse(bare.Groups[1].ValueSpan);
            var b = int.Parse(bare.Groups[2].ValueSpan);
            var asked = r.WordBefore(start) is "on" or "On" or "by" or "By" or "since" or "until" or "till" or "before" or "after" or "due" or "dated"
                or "Monday" or "Tuesday" or "Wednesday"
                or "Thursday" or "Friday" or "Saturday" or "Sunday" or "Mon" or "Tue" or "Wed" or "Thu" or "Fri" or "Sat" or "Sun";
            var unlikelyFraction = b is > 12 and not (16 or 20 or 32) || (a > 12 && b != 10);
            if ((a, b) is (9, 11) or (7, 7) or (24, 7))
                return 0;
            if ((asked || (unlikelyFraction && a != b)) && a is > 0 && b is > 0)
            {
                var dayFirst = a > 12 || (b <= 12 && r.British);
                if (dayFirst ? Say(r, bare.Groups[1].ValueSpan, bare.Groups[2].ValueSpan, "")
                    : Say(r, bare.Groups[2].ValueSpan, bare.Groups[1].ValueSpan, ""))
                    return start + bare.Length;
            }
        }
        return 0;
    }

    private static int ReadName(Reading r, int start)
    {
        var end = r.WordEnd(start);
        var word = r.Span(start, end);
        var isMonth = DateLexicon.MonthNames.Find(word);
        var weekday = isMonth is null ? DateLexicon.Weekdays.Find(word) : null;
        if (isMonth is null && weekday is null)
            return 0;
        if (isMonth is not null && MonthDay().Match(r.Text, start) is { Success: true } day && !UnitFollows(r, start + day.Length))
        {
            var words = r.British ? $"{isMonth} the {r.Ordinal(day.Groups[2].ValueSpan)}" : $"{isMonth} {r.Ordinal(day.Groups[2].ValueSpan)}";
            if (day.Groups[4].Success)
            {
                var month = day.Groups[3].Success ? DateLexicon.MonthNames[day.Groups[3].Value.TrimEnd('.')] + " " : "";
                words += $" to {month}{r.Ordinal(day.Groups[4].ValueSpan)}";
            }
            return Finish(r, words, day, day.Groups[5]);
        }
        if (isMonth is not null && MonthYear().Match(r.Text, start) is { Success: true } year)
        {
            r.Say($"{isMonth} {r.Year(year.Groups[2].ValueSpan)}");
            var yearEnd = start + year.Length;
            if (r.At(yearEnd) is not ('-' or '–') || DateLexicon.MonthNames.Find(r.Span(yearEnd + 1, r.WordEnd(yearEnd + 1))) is null)
                return yearEnd;
            r.Say("to");
            return yearEnd + 1;
        }
        if (NameRange().Match(r.Text, start) is { Success: true } range)
        {
            var until = range.Groups[1].ValueSpan;
            var last = isMonth is null ? DateLexicon.Weekdays.Find(until) : DateLexicon.MonthNames.Find(until);
            if (last is not null)
            {
                r.Say($"{isMonth ?? weekday} to {last}");
                return r.At(start + range.Length) == '.' && !r.EndsSentence(start + range.Length + 1) && until.Length < 5 ? start + range.Length + 1
                    : start + range.Length;
            }
        }
        var full = isMonth ?? weekday!;
        if (word.Length == full.Length)
            return 0;
        if (r.At(end) == '.' && !(DateLexicon.Ambiguous.Has(word) && r.EndsSentence(end + 1) && word is not ("Jan" or "Apr" or "Mar")
            && r.WordBefore(start) is not ("and" or "or" or "to" or "on" or "every") && !IsClosingDay(r, start, weekday)))
            return r.SayDotted(full, end + 1);
        if (DateLexicon.Ambiguous.Has(word)
            && !(r.At(end) == ',' && r.At(end + 1) == ' '
            && (char.IsAsciiDigit(r.At(end + 2)) || DateLexicon.MonthNames.Find(r.Span(end + 2, r.WordEnd(end + 2))) is not null))
            && !(r.At(end) == ' ' && char.IsAsciiDigit(r.At(end + 1)) && weekday is not null)
            && !(r.At(end) == ' ' && r.At(end + 1) == '\'' && char.IsAsciiDigit(r.At(end + 2)) && isMonth is not null)
            && !(weekday is not null && IsListed(r, start, end))
            && !(r.At(end) == '/' && (DateLexicon.MonthNames.ContainsKey(r.WordAfter(end + 1).ToString())
            || DateLexicon.Weekdays.ContainsKey(r.Span(end + 1, r.WordEnd(end + 1)).ToString())))
            && !(r.WordBefore(start) is "on" or "next" or "last" or "every" or "this" && r.At(end) is '\0' or ',' or '.' or '?' or '!'))
            return 0;
        r.Say(full);
        return end;
    }

    /// <summary>"Sat &amp; Sun", "Sat, Sun": beside another weekday.</summary>
    private static bool IsListed(Reading r, int start, int end)
    {
        var next = r.Text.AsSpan(end, Math.Min(5, r.Text.Length - end));
        var joint = next.StartsWith(" & ") ? 3 : next.StartsWith(" and ") ? 5 : next.StartsWith(", ") ? 2 : 0;
        if (joint > 0 && DateLexicon.Weekdays.Find(r.Span(end + joint, r.WordEnd(end + joint))) is not null)
            return true;
        var before = r.Text.AsSpan(Math.Max(0, start - 5), Math.Min(5, start));
        joint = before.EndsWith(" & ") ? 3 : before.EndsWith(" and ") ? 5 : before.EndsWith(", ") ? 2 : 0;
        return joint > 0 && r.WordBefore(start - joint) is var day && DateLexicon.Weekdays.Find(day) is not null;
    }

    /// <summary>"Closed Sat.": a weekday that ends the sentence; "the Sun." and "Sat." alone are not.</summary>
    private static bool IsClosingDay(Reading r, int start, string? weekday) =>
        weekday is not null && r.At(start - 1) == ' ' && r.At(start - 2) is not ('.' or '!' or '?') && r.WordBefore(start) is { Length: > 2 } before
        && before is not ("the" or "The" or "our" or "that");

    private static bool UnitFollows(Reading r, int end) => r.At(end) == ' ' && UnitLexicon.Units.Find(r.Span(end + 1, r.WordEnd(end + 1))) is not null
        && r.WordAfter(end).Length > 1;

    private static int Finish(Reading r, string words, Match match, Group year)
    {
        var end = match.Index + match.Length;
        if (year.Success)
        {
            r.Say($"{words}, {r.Year(year.ValueSpan)}");
            return end;
        }
        if (r.Text[end - 1] == '.')
            return r.SayDotted(words, end);
        r.Say(words);
        return end;
    }

    /// <summary>"May first, twenty twenty-four", "the first of May, twenty twenty-four"; false: there is no such date.</summary>
    private static bool Say(Reading r, ReadOnlySpan<char> day, ReadOnlySpan<char> month, ReadOnlySpan<char> year)
    {
        if (int.Parse(month) is not (>= 1 and <= 12 and var m) || int.Parse(day) is not (>= 1 and <= 31))
            return false;
        var name = DateLexicon.Months[m - 1];
        var words = r.British ? $"the {r.Ordinal(day)} of {name}" : $"{name} {r.Ordinal(day)}";
        var spoken = year.Length switch { 4 => ", " + r.Year(year), 2 => ", " + (year[0] == '0' ? r.Year($"20{year}") : r.Cardinal(year)), _ => "" };
        r.Say(words + spoken);
        return true;
    }

    [GeneratedRegex(@"\G(\d{4})([-/.])(\d{1,2})\2(\d{1,2})(?:[T](\d{2}):(\d{2})(?::(\d{2})(?:\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})?)?(?![\w-]|\.\d)",
        RegexOptions.CultureInvariant)]
    private static partial Regex YearFirst();

    [GeneratedRegex(@"\G(\d{1,2})([/.-])(\d{1,2})\2(\d{4}|\d{2})(?![\w/]|[.-]\d)", RegexOptions.CultureInvariant)]
    private static partial Regex Numeric();

    [GeneratedRegex(@"\G((?:19|20)\d\d)-(0[1-9]|1[0-2])(?![\w-]|[.,]\d)", RegexOptions.CultureInvariant)]
    private static partial Regex YearAndMonth();

    [GeneratedRegex(@"\G(\d{1,2})/(\d{1,2})(?![\w/%""]|[.,-]\d| ?[+=*×÷])", RegexOptions.CultureInvariant)]
    private static partial Regex MonthAndDay();

    [GeneratedRegex(@"\G(\d{1,2})(?:st|nd|rd|th)?(?: ?[-–] ?(\d{1,2})(?:st|nd|rd|th)?)?[ -](?:of )?" + Month + @"(?!-\p{L})"
        + @"(?:,?[ -](\d{4})(?![\w%]|[.,:/-]\d))?", RegexOptions.CultureInvariant)]
    private static partial Regex DayMonth();

    [GeneratedRegex(@"\G" + Month + @",? (?:the )?" + Day + @"(?: ?[-–—] ?(?:" + Month + @" )?" + Day + ")?" + YearTail,
        RegexOptions.CultureInvariant)]
    private static partial Regex MonthDay();

    [GeneratedRegex(@"\G" + Month + @"(?:,? | of |-)(1\d{3}|20\d{2})(?![\w%]|[.,:/]\d)", RegexOptions.CultureInvariant)]
    private static partial Regex MonthYear();

    [GeneratedRegex(@"\G\p{L}{3,9}\.? ?[-–—] ?(\p{L}{3,9})(?![\p{L}-])", RegexOptions.CultureInvariant)]
    private static partial Regex NameRange();
}
