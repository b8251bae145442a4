namespace LightTts.Text.English;

/// <summary>Numbers that are read in pairs although nothing is counted or dated by them.</summary>
internal static class NamedNumbers
{
    /// <summary>"F-150", "A380", "I-405": three figures behind a capital, read as a house's are.</summary>
    public static bool IsModel(Reading r, int start, int end)
    {
        if (end - start != 3 || r.At(start) == '0' || r.Span(start, end).ContainsAnyExceptInRange('0', '9') || char.IsLetter(r.At(end)))
            return false;
        var last = r.At(start - 1) == '-' ? start - 2 : start - 1;
        var first = last;
        while (last - first < 3 && char.IsAsciiLetterUpper(r.At(first)))
            first--;
        return first < last && r.Starts(first + 1) && r.At(first) is not ('-' or '.' or '_')
            && (last < start - 1 || last - first == 1 || r.WordBefore(first + 1) is "flight" or "Flight");
    }

    /// <summary>"1920x1080": a side of a picture, of four figures, read in pairs.</summary>
    public static bool IsPixels(Reading r, int start, int end, string number)
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
}
