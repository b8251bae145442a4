namespace LightTts.Text.English;

/// <summary>Titles, streets, Latin, "No. 5", initials, and what is written with a slash.</summary>
internal sealed class AbbreviationClass : SemioticClass
{
    public override int Read(Reading r, int start)
    {
        if (!r.Starts(start) || (r.At(start - 1) is '\'' or '.' && char.IsLetter(r.At(start - 2))))
            return 0;
        var end = r.WordEnd(start);
        if (end == start)
            return 0;
        if (r.At(end) == '/')
            return ReadSlashed(r, start, end);
        if (r.At(end) != '.')
            return ReadBare(r, start, end);
        var word = r.Span(start, end);
        if (char.IsLetter(r.At(end + 1)) && ReadInitials(r, start, end) is > 0 and var initials)
            return initials;
        var after = r.SkipBlanks(end + 1);
        // "Apt. #3".
        if (r.At(after) == '#' && word is "Apt" or "Ste" or "Rm" or "No" or "no")
            after++;
        var figure = char.IsAsciiDigit(r.At(after));
        if (!figure && after - end == 2 && IsRoman(r, after) && AbbreviationLexicon.BeforeNumeral.Has(word))
            return Say(r, AbbreviationLexicon.BeforeNumber.Find(word)!, end + 1);
        if (figure && after - end <= 3 && AbbreviationLexicon.BeforeNumber.Find(word) is { } numbered && !IsAnswerNo(r, word, start, after))
        {
            // In running text "the No. 1 player" is no name.
            r.Say(word is "No" or "Nos" && r.At(start - 1) == ' ' && char.IsLetterOrDigit(r.At(start - 2)) ? numbered.ToLowerInvariant() : numbered);
            return r.At(after - 1) == '#' ? after : end + 1;
        }
        if (word is "c" && IsOrdinalBefore(r, start))
            return r.SayDotted("century", end + 1);
        // "serial no. A1B2C3".
        if (word is "no" && r.At(end + 1) == ' ' && char.IsAsciiLetterUpper(r.At(after)) && char.IsAsciiDigit(r.At(after + 1))
            && r.WordBefore(start) is "serial" or "part" or "model" or "order" or "account" or "reference" or "case" or "invoice")
            return Say(r, "number", end + 1);
        if (word is "No" or "no" or "p" or "c" or "v" && !(word is "v" && r.At(end + 1) == ' ' && char.IsUpper(r.At(end + 2))))
            return 0;
        if (word is "v")
            return Say(r, "versus", end + 1);
        var name = r.At(end + 1) == ' ' && char.IsUpper(r.At(end + 2));
        var title = AbbreviationLexicon.Titles.Find(word);
        var street = AbbreviationLexicon.Streets.Find(word);
        if (street is not null && IsStreet(r, start, end, title is not null && name))
            return r.SayDotted(street, end + 1);
        if (word is "Sr" && FollowsName(r, start))
            return r.SayDotted("Senior", end + 1);
        if (word is "Sr" && (FollowsComma(r, start) || (name && AbbreviationLexicon.Posts.Has(r.WordAfter(end + 1)))))
            return r.SayDotted("Senior", end + 1);
        // "Verses, ed. by Smith".
        if (word is "ed" or "trans" or "comp" && r.At(end + 1) == ' ' && r.WordAfter(end + 1) is "by")
            return Say(r, word is "ed" ? "edited" : word is "trans" ? "translated" : "compiled", end + 1);
        if (word is "min" && IsOrdinalBefore(r, start))
            return r.SayDotted("minute", end + 1);
        if (r.At(end + 1) == '/' && char.IsLetter(r.At(end + 2)) && AbbreviationLexicon.Dotted.Find(word) is { } paired)
        {
            r.Say(paired);
            return end + 2;
        }
        if (title is not null && (name || (r.At(end + 1) == ' ' && r.At(end + 2) is '"' or '\'')))
            return Say(r, title, end + 1);
        if (title is not null && word is not ("St" or "Fr" or "Br" or "Sr" or "Hr" or "Pt" or "Rep" or "Det" or "Gen" or "Hon")
            && r.At(end + 1) is ' ' or '-' && AbbreviationLexicon.Dotted.Find(word) is null)
            return Say(r, title, end + 1);
        if (word is "est" && !figure && !r.EndsSentence(end + 1))
            return r.SayDotted("estimated", end + 1);
        if (word is "min" or "sec" or "mi" or "oz" or "lb" or "ft" or "km" or "kg" or "cm" or "max" && r.EndsSentence(end + 1)
            && word is not ("max" or "min") && !char.IsAsciiDigit(r.At(start - 2)))
            return 0;
        if (word is "Est" or "est" && figure)
            return r.SayDotted(word is "Est" ? "Established" : "established", end + 1);
        if (AbbreviationLexicon.Dotted.Find(word) is { } dotted
            && (word is not ("Co" or "Sq" or "Sec" or "sec" or "Rep" or "Ref" or "ref" or "min" or "max" or "mo" or "temp" or "ed" or "pt" or "Pt"
            or "esp" or "ext" or "Dir" or "Exec" or "mi" or "est" or "Est")
            || !r.EndsSentence(end + 1) || word is "Co" or "max" or "min"))
            return AbbreviationLexicon.NeverLast.Has(word) && end + 1 < r.Text.Length ? Say(r, dotted, end + 1) : r.SayDotted(dotted, end + 1);
        if (word.Length == 2 && word is "al" or "ed" && r.WordBefore(start) is "et")
            return r.SayDotted(word, end + 1);
        // "born" and "died" of a bracket behind a name.
        if (figure && word is "b" or "d" && (r.At(start - 1) is '(' or '\0' || r.At(start - 2) == ';')
            && r.Ends(after + 4) && char.IsAsciiDigit(r.At(after + 3)))
            return Say(r, word is "b" ? "born" : "died", end + 1);
        // "N. 5th St."
        if (figure && word is "N" or "S" or "E" or "W" or "NE" or "NW" or "SE" or "SW"
            && r.Text.AsSpan(after).IndexOfAnyExceptInRange('0', '9') is > 0 and var suffix
            && r.Span(after + suffix, Math.Min(r.Text.Length, after + suffix + 2)) is "st" or "nd" or "rd" or "th")
            return Say(r, word, end + 1);
        // "H.264".
        if (word is "H" && char.IsAsciiDigit(r.At(end + 1)) && char.IsAsciiDigit(r.At(end + 3)) && r.Ends(end + 4))
        {
            r.Say($"H dot {EnglishNumbers.Digits(r.Span(end + 1, end + 4))}");
            return end + 4;
        }
        // An initial: "J. Smith", "George W. Bush".
        if (word.Length == 1 && char.IsUpper(word[0]) && name && word is not "I")
        {
            if (!r.EndsSentence(end + 1) || r.WordBefore(start) is { Length: 0 })
                return Say(r, word, end + 1);
        }
        return 0;
    }

    /// <summary>"Sammy Davis, Sr."</summary>
    private static bool FollowsComma(Reading r, int start) =>
        r.At(start - 1) == ' ' && r.At(start - 2) == ',' && char.IsLetter(r.At(start - 3)) && !char.IsLetter(r.At(r.SkipBlanks(start + 3)));

    private static bool IsOrdinalBefore(Reading r, int start) =>
        r.At(start - 1) == ' ' && r.Span(Math.Max(0, start - 3), start - 1) is "th" or "st" or "nd" or "rd" && char.IsAsciiDigit(r.At(start - 4));

    private static bool IsRoman(Reading r, int place)
    {
        var end = place;
        while (r.At(end) is 'I' or 'V' or 'X' or 'L' or 'C' && end - place < 8)
            end++;
        return end > place && r.Ends(end);
    }

    private static int Say(Reading r, ReadOnlySpan<char> words, int end)
    {
        r.Say(words);
        return end;
    }

    /// <summary>"Tell him no. 5 people came": an answer, not a number.</summary>
    private static bool IsAnswerNo(Reading r, ReadOnlySpan<char> word, int start, int number)
    {
        if (word is not ("no" or "No" or "NO"))
            return false;
        var end = number;
        while (char.IsAsciiDigit(r.At(end)))
            end++;
        var next = r.WordAfter(end);
        var counts = r.At(end) == ' ' && next.Length > 2 && char.IsLower(next[0])
            && (next[^1] == 's' || next is "people" or "men" or "women" or "children" or "more" or "million" or "percent")
            && next is not ("was" or "has" or "is" or "this");
        return counts && (word is "no"
            ? r.WordBefore(start) is "him" or "her" or "them" or "me" or "us" or "said" or "says" or "is" or "say" or "you" or "think" or "was"
            : true);
    }

    private static int ReadBare(Reading r, int start, int end)
    {
        var word = r.Span(start, end);
        var name = r.At(end) == ' ' && char.IsUpper(r.At(end + 1));
        if (word.Length is > 1 and < 6 && name && AbbreviationLexicon.BareTitles.Find(word) is { } title
            && !(AbbreviationLexicon.Streets.ContainsKey(word.ToString()) && FollowsName(r, start)))
            return Say(r, title, end);
        // "Mr & Mrs Smith".
        if (word is "Mr" or "Dr" or "Mrs" or "Ms" && JoinedTitle(r, end))
            return Say(r, AbbreviationLexicon.BareTitles.Find(word)!, end);
        if (word.Length is > 1 and < 6 && AbbreviationLexicon.Streets.Find(word) is { } street && FollowsName(r, start)
            && (r.At(end) is ',' or '\0' || (r.At(end) == ' ' && !name)) && HouseBefore(r, start))
            return Say(r, street, end);
        if (AbbreviationLexicon.Casual.Find(word) is { } casual)
            return Say(r, casual, end);
        if (word is "vs" or "etc" or "approx")
            return Say(r, word is "vs" ? "versus" : word is "etc" ? "et cetera" : "approximately", end);
        if (word is "Jr" or "Sr" && FollowsName(r, start))
            return Say(r, word is "Jr" ? "Junior" : "Senior", end);
        var number = r.At(end + 1) == '#' ? end + 2 : end + 1;
        if (word is "Nr" or "pg" or "Ch" or "Vol" or "Fig" or "Apt" or "Ste" or "Rm" or "Rte" && r.At(end) == ' ' && char.IsAsciiDigit(r.At(number)))
            return Say(r, AbbreviationLexicon.BeforeNumber.Find(word)!, number == end + 1 ? end : number);
        return 0;
    }

    private static bool JoinedTitle(Reading r, int end)
    {
        var rest = r.Text.AsSpan(end, Math.Min(16, r.Text.Length - end));
        var joint = rest.StartsWith(" & ") ? 3 : rest.StartsWith(" and ") ? 5 : 0;
        return joint > 0 && AbbreviationLexicon.BareTitles.Find(r.Span(end + joint, r.WordEnd(end + joint))) is not null;
    }

    private static int ReadSlashed(Reading r, int start, int end)
    {
        // Such as "with", "without", "n/a".
        var last = r.WordEnd(end + 1);
        if (AbbreviationLexicon.Slashed.Find(r.Span(start, last)) is { } whole && r.At(last) != '/')
            return Say(r, whole, last);
        if (r.Span(start, end) is "w" or "W" && (last == end + 1 || last - end > 2))
            return Say(r, r.At(start) == 'w' ? "with" : "With", end + 1);
        // "km/h" and "miles/hour" in running text.
        var top = r.Span(start, end);
        var bottom = r.Span(end + 1, last);
        if (UnitLexicon.Tops.Has(top) && (UnitLexicon.Bottoms.Has(bottom) || r.At(last) is '²' or '³'))
        {
            Say(r, UnitLexicon.Name(UnitLexicon.Units.Find(top)!, true), end);
            return MeasureClass.ReadPer(r, end);
        }
        if (top.Length > 3 && top[^1] == 's'
            && bottom is "hour" or "minute" or "second" or "day" or "week" or "month" or "year" or "min" or "sec" or "hr" or "h" or "s" or "wk"
            or "mo" or "yr")
        {
            r.Spoken.Copy(top);
            return MeasureClass.ReadPer(r, end);
        }
        // "A/B", "I/O".
        if (end - start == 1 && last - end == 2 && char.IsUpper(r.At(start)) && char.IsUpper(r.At(end + 1)) && r.At(last) != '/')
            return Say(r, $"{r.At(start)} {r.At(end + 1)}", last);
        return 0;
    }

    /// <summary>"U.S.", "e.g.", "Ph.D.", "J.R.R."</summary>
    private static int ReadInitials(Reading r, int start, int end)
    {
        var last = end;
        while (r.At(last) == '.' && char.IsLetter(r.At(last + 1)) && last - start < 20)
        {
            var next = last + 1;
            while (char.IsLetter(r.At(next)) && next - last < 4)
                next++;
            if (char.IsLetter(r.At(next)))
                return 0;
            last = next;
        }
        var stop = r.At(last) == '.';
        var whole = r.Span(start, last);
        if (AbbreviationLexicon.Latin.Find(whole) is { } latin)
        {
            if (!stop)
                return Say(r, latin, last);
            return r.SayDotted(latin, last + 1);
        }
        // Single capitals only.
        if (char.IsLower(r.At(start)))
            return 0;
        for (var i = start; i < last; i++)
            if (char.IsLetter(r.At(i)) && char.IsLetter(r.At(i + 1)) && !(r.At(i + 1) == 's' && i + 2 == last))
                return 0;
        if (!stop && last - start < 3)
            return 0;
        var letters = string.Join(' ', r.Text[start..last].Where(char.IsLetter)).Replace(" s", "s", StringComparison.Ordinal);
        if (!stop)
            return Say(r, letters, last);
        if (r.At(last + 1) == '\'' && r.At(last + 2) == 's')
            return Say(r, letters + "'s", last + 3);
        return r.SayDotted(letters, last + 1);
    }

    private static bool IsStreet(Reading r, int start, int end, bool titleCouldFollow)
    {
        if (!FollowsName(r, start))
            return false;
        if (!titleCouldFollow)
            return true;
        // "Elm Dr. Then we": a new sentence; "12 Elm Dr. Springfield"; but "Then Dr. Smith", "John St. John".
        return HouseBefore(r, start) || r.EndsSentence(end + 1)
            || (r.Span(start, end) is "St" && !AbbreviationLexicon.SentenceStarts.Has(r.WordBefore(start)) && SecondName(r, start));
    }

    private static bool SecondName(Reading r, int start) => r.WordBefore(start, out var at).Length > 0
        && (r.WordBefore(at) is "on" or "at" or "of" or "along" or "down" or "near" or "to" or "from" or "and" or "St" or "Saint");

    private static bool FollowsName(Reading r, int start)
    {
        if (r.At(start - 1) != ' ')
            return false;
        var before = r.WordBefore(start, out var at);
        if (before.Length == 0)
        {
            // "5th Ave.", "E. 42nd St."
            return r.At(start - 2) is 'h' or 't' or 'd' && char.IsLetterOrDigit(r.At(start - 3)) || char.IsAsciiDigit(r.At(start - 2));
        }
        if (char.IsAsciiDigit(r.At(at - 1)))
            return true;
        return char.IsUpper(before[0]) && before.Length > 1
            && (r.At(at + before.Length) == ' ' || (before is "Jr" or "Sr" && r.At(at + before.Length) == '.'))
            && !AbbreviationLexicon.SentenceStarts.Has(before);
    }

    /// <summary>Whether a house number is among the words before.</summary>
    private static bool HouseBefore(Reading r, int start)
    {
        for (var word = 0; word < 4; word++)
        {
            r.WordBefore(start, out var at);
            if (char.IsAsciiDigit(r.At(at - 1)))
                return true;
            if (at >= start || at == 0 || r.At(at - 1) != ' ')
                return false;
            start = at;
            if (char.IsAsciiDigit(r.At(at - 2)))
                return true;
        }
        return false;
    }
}
