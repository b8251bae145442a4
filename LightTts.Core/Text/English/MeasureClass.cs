namespace LightTts.Text.English;

/// <summary>Numbers with a unit, a percent sign, a scale word or nothing behind them; ranges and sizes of them. Feet and inches.</summary>
internal sealed class MeasureClass : SemioticClass
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
        if (sign == 0 && Height(r, start, end) is > 0 and var height)
            return height;
        var number = comma > 0 ? r.Span(numberStart, end).ToString().Replace(',', '.') : Numerals.Plain(r.Text[numberStart..end]);
        var words = (r.At(start) switch { '-' => "minus ", '+' => "plus ", '±' => "plus or minus ", _ => "" }) + Say(r, number, start, end);
        var plural = number != "1";
        // A range: the unit is said once, at its end.
        var upper = RangeEnd(r, end, out var upperStart);
        if (upper > 0 && (sign == 0 || r.At(start) != '+') && !(r.At(start - 1) == '-' && char.IsAsciiDigit(r.At(start - 2))))
        {
            var last = Numerals.Plain(r.Text[upperStart..upper]);
            words += $" to {Say(r, last, upperStart, upper)}";
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
        if (last == start)
            return end;
        var word = r.Span(start, last);
        var power = r.At(last) is '²' or '³' ? r.At(last) : '\0';
        var unit = UnitLexicon.Units.Find(word);
        if (unit is null && word.Length < 3)
            return end;
        var name = unit is null ? word.ToString() : UnitLexicon.Name(unit, false);
        var squared = power == '²';
        r.Say(power == '\0' ? $"per {name}"
            : name == "second" ? $"per {name} {(squared ? "squared" : "cubed")}"
            : $"per {(squared ? "square" : "cubic")} {name}");
        return ReadPer(r, power == '\0' ? last : last + 1);
    }

    /// <summary>A unit after a number, said; 0: none.</summary>
    public static int ReadUnit(Reading r, int start, int end, bool plural)
    {
        var from = r.At(end) is ' ' or '-' ? end + 1 : end;
        if (r.At(from) == ' ')
            return 0;
        var limit = Math.Min(UnitLexicon.MaxLength, r.Text.Length - from);
        for (var length = limit; length > 0; length--)
        {
            var symbol = r.Span(from, from + length);
            var next = r.At(from + length);
            if (char.IsLetterOrDigit(next) && next is not ('²' or '³') || UnitLexicon.Units.Find(symbol) is not { } unit)
                continue;
            var last = from + length;
            var power = next is '²' or '³' ? next : '\0';
            if (power != '\0')
                last++;
            if (char.IsLetterOrDigit(r.At(last)))
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
            // "5 in." but not "5 in the box".
            var name = UnitLexicon.Name(unit, plural && !noun);
            if (power != '\0')
                name = symbol is "s" ? name + (power == '²' ? " squared" : " cubed") : (power == '²' ? "square " : "cubic ") + name;
            if (r.At(last) == '/' || (r.At(last) == ' ' && r.At(last + 1) == '/'))
            {
                r.Say(name);
                return ReadPer(r, last);
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

    private static string Say(Reading r, string number, int start, int end) =>
        IsPixels(r, start, end, number) ? EnglishNumbers.Pairs(number) : YearClass.IsYear(r, start, end, number) ? r.Year(number) : r.Number(number);

    /// <summary>"1920x1080": a side of a picture, of four figures, read in pairs.</summary>
    private static bool IsPixels(Reading r, int start, int end, string number)
    {
        if (number.Length != 4 || end - start != 4 || number[0] == '0' || number.Contains('.') || number.EndsWith("000", StringComparison.Ordinal))
            return false;
        return IsSide(end, 1) || IsSide(start - 1, -1);

        bool IsSide(int at, int step)
        {
            at = r.At(at) == ' ' ? at + step : at;
            if (r.At(at) is not ('x' or 'X' or '×'))
                return false;
            at = r.At(at + step) == ' ' ? at + (2 * step) : at + step;
            return char.IsAsciiDigit(r.At(at)) && char.IsAsciiDigit(r.At(at + step)) && char.IsAsciiDigit(r.At(at + (2 * step)));
        }
    }

    /// <summary>"in" without a stop, as inches: "6 ft 2 in", "5 in tall"; 0: it is a word.</summary>
    private static int Inches(Reading r, int start, int end, bool plural)
    {
        if (r.At(end) != ' ' || r.WordAfter(end) is not "in")
            return 0;
        var last = end + 3;
        if (r.At(last) == '.')
            return 0;
        var next = r.WordAfter(last);
        if (r.WordBefore(start) is not ("ft" or "foot" or "feet") && next is not ("tall" or "long" or "wide" or "thick" or "diameter" or "x" or "by"))
            return 0;
        r.Say(plural && !r.IsBeforeNoun(start, last) ? "inches" : "inch");
        return last;
    }

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
        else if (after == end && word is "M" or "B" or "K" or "k" && r.At(end + 1) == ' ' && r.WordAfter(end + 1) is { Length: > 3 } counted
            && counted[^1] == 's' && char.IsLower(counted[0]))
        {
            r.Say(word is "M" ? "million" : word is "B" ? "billion" : "thousand");
            return end + 1;
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
        if (Inches(r, start, end, plural) is > 0 and var inchEnd)
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
            r.Say("times");
            return end + 1;
        }
        if (Prime(r, start, end, plural) is > 0 and var primeEnd)
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

    /// <summary>6'2" and 5' 10".</summary>
    private static int Height(Reading r, int start, int end)
    {
        if (r.At(end) is not ('\'' or '′') || end - start > 2 || r.Span(start, end).Contains('.'))
            return 0;
        var inches = r.SkipBlanks(end + 1);
        var last = inches;
        while (char.IsAsciiDigit(r.At(last)) && last - inches < 3)
            last++;
        if (last == inches || last - inches > 2 || inches - end > 2)
            return 0;
        var close = r.At(last) is '"' or '″' ? last + 1 : r.At(last) == '\'' && r.At(last + 1) == '\'' ? last + 2 : 0;
        // The second sign may be left out: "5'10 tall".
        if (close == 0 && inches == end + 1 && end - start == 1 && r.At(start) is >= '3' and <= '8' && int.Parse(r.Span(inches, last)) < 12
            && r.Ends(last) && r.At(last) is not ('\'' or '-' or ':')
            && !(r.At(last) == '.' && char.IsAsciiDigit(r.At(last + 1))) && r.At(start - 1) is ' ' or '\0')
            close = last;
        if (close == 0)
            return 0;
        r.Say($"{r.Cardinal(r.Span(start, end))} {(r.Span(start, end) is "1" ? "foot" : "feet")} {r.Cardinal(r.Span(inches, last))}");
        return close;
    }

    /// <summary>5' and 5" where no quotation can end.</summary>
    public static int Prime(Reading r, int start, int end, bool plural)
    {
        var mark = r.At(end);
        if (mark is not ('"' or '\'' or '′' or '″') || char.IsLetterOrDigit(r.At(end + 1)))
            return 0;
        if (mark is '"' or '\'')
        {
            var open = false;
            for (var i = end - 1; i >= Math.Max(0, end - 400); i--)
                if (r.At(i) == mark && !(mark == '\'' && char.IsLetterOrDigit(r.At(i - 1)) && char.IsLetterOrDigit(r.At(i + 1))))
                    open = !char.IsAsciiDigit(r.At(i - 1)) && !open;
            if (open)
                return 0;
        }
        var (one, many) = mark is '"' or '″' ? ("inch", "inches") : ("foot", "feet");
        r.Say(!plural || r.IsBeforeNoun(start, end + 1) ? one : many);
        return end + 1;
    }
}
