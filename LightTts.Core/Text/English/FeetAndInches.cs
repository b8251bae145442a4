namespace LightTts.Text.English;

/// <summary>Feet and inches by their marks, and "in" for inches.</summary>
internal static class FeetAndInches
{
    /// <summary>"in" without a stop, as inches: "6 ft 2 in", "5 in tall"; 0: it is a word.</summary>
    public static int Inches(Reading r, int start, int end, bool plural)
    {
        var touches = r.At(end) == 'i' && r.At(end + 1) == 'n' && r.Ends(end + 2) && !char.IsLetter(r.At(start - 1));
        if (!touches && (r.At(end) != ' ' || r.WordAfter(end) is not "in"))
            return 0;
        var last = touches ? end + 2 : end + 3;
        if (r.At(last) == '.')
            return 0;
        var next = r.WordAfter(last);
        if (!touches && r.WordBefore(start) is not ("ft" or "foot" or "feet")
            && next is not ("tall" or "long" or "wide" or "thick" or "diameter" or "x" or "by"))
            return 0;
        r.Say(plural && !r.IsBeforeNoun(start, last) ? "inches" : "inch");
        return last;
    }

    /// <summary>6'2" and 5' 10".</summary>
    public static int Height(Reading r, int start, int end)
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
        var sized = r.At(end + 1) is 'x' or 'X' && char.IsAsciiDigit(r.At(end + 2));
        if (mark is not ('"' or '\'' or '′' or '″') || (char.IsLetterOrDigit(r.At(end + 1)) && !sized))
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
