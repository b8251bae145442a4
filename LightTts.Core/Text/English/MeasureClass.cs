using System.Text.RegularExpressions;

namespace LightTts.Text.English;

/// <summary>Numbers with a unit, a percent sign, a scale word or nothing behind them; ranges and sizes of them.</summary>
internal sealed partial class MeasureClass : SemioticClass
{
    public override int Read(Reading r, int start)
    {
        var sign = r.At(start) is '-' or '+' or '±' ? 1 : 0;
        var numberStart = start + sign;
        if (sign == 1 && (char.IsLetterOrDigit(r.At(start - 1)) || r.At(start - 1) is ')' or ']' or '%' or '°' or '.' or ',' or '-'
            || !(char.IsAsciiDigit(r.At(numberStart)) || r.At(numberStart) == '.')))
            return 0;
        // "MP3" and "4x4": a figure may follow a letter.
        if (sign == 0 && char.IsAsciiDigit(r.At(start - 1)))
            return 0;
        if (r.At(numberStart) == '.' && (sign == 0 && char.IsLetterOrDigit(r.At(start - 1))))
            return 0;
        var comma = Numerals.CommaDecimalEnd(r, numberStart);
        var end = comma > 0 ? comma : Numerals.End(r.Text, numberStart);
        if (end == 0)
            return 0;
        if (sign == 0 && FeetAndInches.Height(r, start, end) is > 0 and var height)
            return height;
        // "2x4s", "MP3s": a plural, not seconds.
        if (sign == 0 && r.At(end) == 's' && r.Ends(end + 1) && char.IsLetter(r.At(start - 1)) && r.At(end - 1) != '.')
        {
            r.Say(EnglishNumbers.Plural(r.Number(Numerals.Plain(r.Text[start..end]))));
            return end + 1;
        }
        if (sign == 0 && r.Text.AsSpan(start).StartsWith("50-50") && r.Starts(start) && r.Ends(start + 5) && r.At(start - 1) != '.')
        {
            r.Say("fifty fifty");
            return start + 5;
        }
        var number = comma > 0 ? r.Span(numberStart, end).ToString().Replace(',', '.') : Numerals.Plain(r.Text[numberStart..end]);
        var words = (r.At(start) switch { '-' => "minus ", '+' => "plus ", '±' => "plus or minus ", _ => "" }) + Say(r, number, start, end);
        var plural = number != "1";
        // A range: the unit is said once, at its end.
        var upper = RangeEnd(r, end, out var upperStart);
        if (upper > 0 && (sign == 0 || r.At(start) != '+') && !char.IsLetter(r.At(start - 1))
            && !(r.At(start - 1) == '-' && char.IsAsciiDigit(r.At(start - 2))))
        {
            var last = Numerals.Plain(r.Text[upperStart..upper]);
            words = r.British && last == "0" && number.Length < 3 && r.Ends(upper) && r.At(end) == '-'
                ? $"{(number == "0" ? "nil" : words)} nil" : $"{words} to {Say(r, last, upperStart, upper)}";
            end = upper;
            plural = true;
        }
        r.Say(words);
        return Suffix(r, start, end, plural);
    }

    /// <summary>"/month", "/lb", "/100 km" after an amount as "per"; else the same place.</summary>
    public static int ReadPer(Reading r, int end)
    {
        var slash = r.At(end) == ' ' && r.At(end + 1) == '/' ? end + 1 : end;
        if (r.At(slash) != '/')
            return end;
        var start = r.SkipBlanks(slash + 1);
        var last = r.WordEnd(start);
        // "7 L/100 km".
        if (last == start && slash == end && Numerals.End(r.Text, start) is > 0 and var count && ReadsUnit(r, count))
        {
            var amount = Numerals.Plain(r.Text[start..count]);
            r.Say("per " + r.Number(amount));
            return ReadUnit(r, start, count, amount != "1") is > 0 and var counted ? counted : count;
        }
        if (last == start)
            return end;
        if (r.Span(start, last) is "ea" or "each")
        {
            r.Say("each");
            return r.At(last) == '.' && !r.EndsSentence(last + 1) ? last + 1 : last;
        }
        var word = r.Span(start, last);
        var unit = UnitLexicon.Units.Find(word);
        var power = r.At(last) is '²' or '³' ? r.At(last) : unit is null
            || !r.Ends(last + 1) ? '\0' : r.At(last) switch { '2' => '²', '3' => '³', _ => '\0' };
        if (unit is null && word.Length < 3)
            return end;
        var name = unit is null ? word.ToString() : UnitLexicon.Name(unit, false);
        var squared = power == '²';
        r.Say(power == '\0' ? $"per {name}"
            : name == "second" ? $"per {name} {(squared ? "squared" : "cubed")}"
            : $"per {(squared ? "square" : "cubic")} {name}");
        return ReadPer(r, power == '\0' ? last : last + 1);
    }

    private static bool ReadsUnit(Reading r, int end)
    {
        var from = r.At(end) == ' ' ? end + 1 : end;
        return UnitLexicon.Units.Find(r.Span(from, r.WordEnd(from))) is not null;
    }

    /// <summary>A unit after a number, said; 0: none.</summary>
    public static int ReadUnit(Reading r, int start, int end, bool plural)
    {
        var from = r.At(end) is ' ' or '-' ? end + 1 : end;
        // "B2B": letters on both sides make a name; "4x100m" does not.
        if (r.At(from) == ' ' || (from == end && char.IsLetter(r.At(start - 1)) && r.At(start - 1) is not ('x' or 'X')))
            return 0;
        var limit = Math.Min(UnitLexicon.MaxLength, r.Text.Length - from);
        for (var length = limit; length > 0; length--)
        {
            var symbol = r.Span(from, from + length);
            var next = r.At(from + length);
            if (char.IsLetterOrDigit(next) && next is not ('²' or '³') && !(symbol is "°" && Compass(r, from + length).Length > 0)
                || UnitLexicon.Units.Find(symbol) is not { } unit)
                continue;
            var last = from + length;
            var power = next is '²' or '³' ? next : '\0';
            if (power != '\0')
                last++;
            if (char.IsLetterOrDigit(r.At(last)) && symbol is not "°")
                continue;
            var noun = r.Text.AsSpan(last).StartsWith("-old")
                || r.IsBeforeNoun(start, r.At(last) == '.' && !r.EndsSentence(last + 1) ? last + 1 : last);
            if (from > end && UnitLexicon.NeedTouch.Has(symbol) && r.At(last) != '/'
                && !(noun && r.At(end) == ' ' && symbol.Length == 1 && char.IsUpper(symbol[0])))
                return 0;
            // "5 s" and "5 h" are units, "5 s's" is a slip.
            if (from > end && symbol is "s" or "h" or "t" && (r.At(end) == '-' || r.At(last) is '\'' or '-'))
                return 0;
            if (from == end && symbol is "A" or "B" or "N" or "t" && !noun)
                return 0;
            if (from > end && r.At(end) == '-' && symbol.Length == 1 && !noun)
                return 0;
            // "10W-40" is an oil, "a 2B pencil" a grade, "2B parameters" billions.
            if (symbol is "W" && next == '-' && char.IsAsciiDigit(r.At(last + 1)) || (symbol is "B" && r.WordAfter(last).StartsWith("pencil")))
                return 0;
            if (symbol is "B" && from == end && r.WordAfter(last).StartsWith("param"))
            {
                r.Say("billion");
                return last;
            }
            // "a 240-lb linebacker": whatever noun it is.
            noun = noun || (from > end && r.At(end) == '-' && next == ' ' && r.WordAfter(last) is { Length: > 2 } what && char.IsLower(what[0])
                && !NounLexicon.NotNouns.Has(what));
            // "5 in." but not "5 in the box".
            var name = symbol is "bps" && r.WordBefore(start) is "up" or "Up" or "down" or "Down" or "by" or "of" ? "basis points"
                : UnitLexicon.Name(unit, plural && !noun);
            if (power != '\0')
                name = symbol is "s" ? name + (power == '²' ? " squared" : " cubed") : (power == '²' ? "square " : "cubic ") + name;
            if (r.At(last) == '/' || (r.At(last) == ' ' && r.At(last + 1) == '/'))
            {
                r.Say(name);
                // "72°F/22°C".
                if (symbol is "°F" or "°C" && char.IsAsciiDigit(r.At(last + 1)))
                {
                    r.Spoken.Pause();
                    return last + 1;
                }
                return ReadPer(r, last);
            }
            if (symbol is "°" && r.At(last) != ' ' | r.At(last + 1) != ' ' && Compass(r, last) is { Length: > 0 } direction)
            {
                r.Say($"{name} {direction}");
                return r.SkipBlanks(last) + 1;
            }
            if (symbol is "in.")
                return r.SayDotted(name, last);
            // The stop of an abbreviation: "6 ft. 2 in."
            if (r.At(last) == '.' && char.IsLetter(symbol[^1]) && r.At(last + 1) is ' ' or ',' or ')' or '\0'
                && AbbreviationLexicon.Dotted.Find(symbol) is not null)
                return r.SayDotted(name, last + 1);
            r.Say(name);
            return last;
        }
        return 0;
    }

    /// <summary>"45°N", "74.0060° W".</summary>
    private static string Compass(Reading r, int place)
    {
        place = r.SkipBlanks(place);
        return !r.Ends(place + 1) || r.At(place + 1) == '.' && char.IsLetter(r.At(place + 2)) ? "" : r.At(place) switch
        {
            'N' => "north", 'S' => "south", 'E' => "east", 'W' => "west", _ => "",
        };
    }

    private static string Say(Reading r, string number, int start, int end) =>
        NamedNumbers.IsModel(r, start, end) ? EnglishNumbers.Pairs(number) : NamedNumbers.IsPixels(r, start, end, number)
        ? EnglishNumbers.Pairs(number) : YearClass.IsYear(r, start, end, number) ? r.Year(number) : r.Number(number);

    private static int Suffix(Reading r, int start, int end, bool plural)
    {
        // "5 million", "5M users".
        var after = r.At(end) is ' ' or '-' ? end + 1 : end;
        var word = r.Span(after, r.WordEnd(after));
        if (word is "million" or "billion" or "trillion" or "thousand" or "hundred" or "Million" or "Billion" or "Trillion" or "bn" or "mn" or "tn")
        {
            r.Say(word is "bn" ? "billion" : word is "mn" ? "million" : word is "tn" ? "trillion" : word);
            end = after + word.Length;
            plural = true;
        }
        else if (after == end && word is "M" or "B" or "K" or "k" && !char.IsLetter(r.At(start - 1)) && !r.WordAfter(end + 1).StartsWith("pencil")
            && (r.At(end + 1) == ' ' || r.At(end + 1) == '+' && r.At(end + 2) == ' ') && r.WordAfter(r.At(end + 1) == '+' ? end + 2 : end + 1)
            is { Length: > 3 } counted && (counted[^1] == 's' || counted is "people") && char.IsLower(counted[0]))
        {
            r.Say(word is "M" ? "million" : word is "B" ? "billion" : "thousand");
            if (r.At(end + 1) == '+')
                r.Say("plus");
            return r.At(end + 1) == '+' ? end + 2 : end + 1;
        }
        else if (after == end && word is "m" && r.WordAfter(end + 1) is "views" or "users" or "people" or "downloads" or "followers" or "subscribers"
            or "streams" or "plays" or "copies")
        {
            r.Say("million");
            return end + 1;
        }
        else if (r.British && after == end && word is "st" && r.Ends(end + 2))
        {
            r.Say("stone");
            return end + 2;
        }
        if (r.At(end) is '%' or '‰' || (r.At(end) == ' ' && r.At(end + 1) is '%' or '‰'))
        {
            end = r.At(end) == ' ' ? end + 1 : end;
            var percent = r.At(end) == '%' ? "percent" : "per mille";
            // "50% - 60%": the first sign is not said.
            var upper = RangeEnd(r, end + 1, out var upperStart);
            if (upper > 0 && r.At(upper) == '%')
            {
                r.Say("to " + r.Number(Numerals.Plain(r.Text[upperStart..upper])));
                end = upper;
            }
            r.Say(percent);
            end++;
            if (r.At(end) == '+' && r.Ends(end + 1))
            {
                r.Say("plus");
                end++;
            }
            return ReadPer(r, end);
        }
        if (FeetAndInches.Inches(r, start, end, plural) is > 0 and var inchEnd)
            return inchEnd;
        if (ReadUnit(r, start, end, plural) is > 0 and var unitEnd)
            return unitEnd;
        // "2x + 1": a letter of algebra.
        if (r.At(end) == 'x' && r.At(end + 1) == ' ' && r.At(end + 2) is '+' or '-' or '−' or '=' && r.At(end + 3) == ' ')
        {
            r.Say("x");
            return end + 1;
        }
        if (r.At(end) is 'x' or 'X' or '×' && r.Ends(end + 1) && r.At(end + 1) is not ('-' or '\'')
            && !char.IsAsciiDigit(r.At(r.SkipBlanks(end + 1))))
        {
            r.Say(plural || r.At(end + 1) != '/' ? "times" : "time");
            return ReadPer(r, end + 1);
        }
        if (FeetAndInches.Prime(r, start, end, plural) is > 0 and var primeEnd)
            return primeEnd;
        if (r.At(end) == '+' && r.At(end + 1) is ' ' or ',' or '.' or '\0' && !(r.At(end + 1) == ' ' && char.IsAsciiDigit(r.At(end + 2))))
        {
            r.Say("plus");
            return end + 1;
        }
        return ReadPer(r, end);
    }

    /// <summary>The end of the number after a dash, from the end of the number before it; 0: no range.</summary>
    private static int RangeEnd(Reading r, int end, out int upperStart)
    {
        // "5 kg-10 kg": the first unit is not said.
        if (Repeated().Match(r.Text, end) is { Success: true } repeated && UnitLexicon.Units.Find(repeated.Groups[1].ValueSpan) is not null)
        {
            upperStart = repeated.Groups[2].Index;
            return end + repeated.Length;
        }
        upperStart = r.SkipBlanks(end);
        if (upperStart - end > 1 || r.At(upperStart) is not ('-' or '–' or '—' or '~'))
            return 0;
        var tight = upperStart == end;
        var next = r.SkipBlanks(upperStart + 1);
        if (next - upperStart > 2 || (tight && next != upperStart + 1) || (!tight && next == upperStart + 1) || !char.IsAsciiDigit(r.At(next)))
            return 0;
        upperStart = next;
        var upper = Numerals.End(r.Text, upperStart);
        // A third number makes it a code.
        if (r.At(r.SkipBlanks(upper)) == '=')
            return 0;
        return upper > 0 && !(r.At(upper) == '-' && char.IsAsciiDigit(r.At(upper + 1)))
            && !(r.At(upper) is '/' or ':' && char.IsAsciiDigit(r.At(upper + 1))) ? upper : 0;
    }

    [GeneratedRegex(@"\G ?([^\d\s–—-]{1,6}) ?[-–—] ?(" + Numerals.Pattern + @")(?= ?\1(?![\p{L}\d]))", RegexOptions.CultureInvariant)]
    private static partial Regex Repeated();
}
