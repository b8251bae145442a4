namespace LightTts.Text.English;

/// <summary>Words in capitals: spelt letter by letter with blanks between ("F B I"), read as a word ("NASA"), or stressed ("STOP").</summary>
internal sealed class LettersClass : SemioticClass
{
    // Pairs of consonants that English words begin and end with.
    private const string WordBeginnings =
        "BL BR CH CL CR DR DW FL FR GH GL GN GR KN KR PH PL PR PS QU RH SC SH SK SL SM SN SP SQ ST SW TH TR TW WH WR";

    private const string WordEnds =
        "CH CK CT FF FT GH GS HS KS LD LF LK LL LM LP LS LT MB MP MS NC ND NG NK NS NT PS PT RB RC RD RK RL RM RN RP RS RT "
        + "SH SK SP SS ST TH TS TT WD WK WL WN WS ZZ XT";

    public override int Read(Reading r, int start)
    {
        if (!r.Starts(start) || r.At(start - 1) == '\'' && char.IsLetterOrDigit(r.At(start - 2)))
            return 0;
        // Names with signs or mixed case: "AT&T", "C#", "mRNA".
        var chunk = start;
        while (chunk < r.Text.Length && chunk - start < 12
            && (char.IsLetterOrDigit(r.Text[chunk]) || r.Text[chunk] is '&' or '+' or '#' or '-' or '–' or '₂'))
            chunk++;
        for (var last = chunk; last > start + 1; last--)
            if ((r.Ends(last) || !char.IsLetterOrDigit(r.At(last - 1))) && LettersLexicon.Mixed.Find(r.Span(start, last)) is { } mixed)
            {
                r.Say(mixed);
                return Possessive(r, last, false);
            }
        // "A-Z".
        if (char.IsAsciiLetterUpper(r.At(start)) && r.At(start + 1) is '-' or '–' && char.IsAsciiLetterUpper(r.At(start + 2)) && r.Ends(start + 3)
            && r.At(start + 3) != '-' && r.At(start) < r.At(start + 2) && r.At(start) is 'A' or 'K')
        {
            r.Say($"{r.At(start)} to {r.At(start + 2)}");
            return start + 3;
        }
        var end = start;
        while (end < r.Text.Length && char.IsAsciiLetterUpper(r.Text[end]) && end - start < 16)
            end++;
        var length = end - start;
        if (length is < 2 or > 15)
            return 0;
        var plural = r.At(end) == 's' && r.Ends(end + 1) && length < 6;
        if (!plural && char.IsLetter(r.At(end)))
            return 0;
        // Letters and figures: "MP3".
        var word = r.Span(start, end);
        if (char.IsAsciiDigit(r.At(end)) && length > 5)
            return 0;
        var spelt = (length == 2 && IsState(r, start, end))
            || !(r.InCapitals(start, end) ? !IsSpeltInCapitals(word) : !IsSpelt(word) && !(char.IsAsciiDigit(r.At(end)) && length < 4));
        if (!spelt)
        {
            r.Spoken.Copy(word);
            return plural ? Add(r, end + 1, "s") : end;
        }
        r.Say(Spaced(word));
        end = plural ? Add(r, end + 1, "s") : end;
        // "TCP/IP", "USB-C".
        if (r.At(end) is '/' or '-' && char.IsAsciiLetterUpper(r.At(end + 1)))
        {
            var next = r.WordEnd(end + 1);
            if (r.At(end) == '-' || !r.Span(end + 1, next).ContainsAnyInRange('a', 'z'))
                return end + 1;
        }
        return Possessive(r, end, true);
    }

    /// <summary>The letters of an acronym; null: it is read as a word.</summary>
    public static string? Spelling(ReadOnlySpan<char> word) =>
        word.Length is > 1 and < 7 && !word.ContainsAnyExceptInRange('A', 'Z') && IsSpelt(word) ? Spaced(word) : null;

    /// <summary>"Portland, OR": a state behind its city.</summary>
    private static bool IsState(Reading r, int start, int end)
    {
        if (r.At(start - 1) != ' ' || r.At(start - 2) != ',' || !DigitsClass.States.Has(r.Span(start, end)))
            return false;
        var city = start - 2;
        while (char.IsLetter(r.At(city - 1)) && start - city < 32)
            city--;
        var zip = r.SkipBlanks(end);
        return char.IsUpper(r.At(city)) && start - city > 4
            && (r.At(end) is '\0' or ',' or ';' || (r.At(end) == '.' && r.At(end + 1) is ' ' or '\0') || char.IsAsciiDigit(r.At(zip)));
    }

    private static string Spaced(ReadOnlySpan<char> word) => string.Join(' ', word.ToString().ToCharArray());

    private static int Add(Reading r, int end, string ending)
    {
        r.Spoken.Append(ending);
        return end;
    }

    private static int Possessive(Reading r, int end, bool hyphen)
    {
        if (r.At(end) == '\'' && r.At(end + 1) is 's' or 'd' && r.Ends(end + 2))
            return Add(r, end + 2, r.At(end + 1) == 's' ? "'s" : "'d");
        return hyphen && r.At(end) == '-' && char.IsLetterOrDigit(r.At(end + 1)) ? end + 1 : end;
    }

    private static bool IsSpelt(ReadOnlySpan<char> word)
    {
        if (LettersLexicon.Words.Has(word))
            return false;
        if (LettersLexicon.Spelt.Has(word))
            return word is not ("AM" or "AS" or "IM" or "ARM");
        if (LettersLexicon.Ordinary.Has(word))
            return false;
        return word.Length <= 3 || !Pronounceable(word);
    }

    private static bool IsSpeltInCapitals(ReadOnlySpan<char> word) =>
        !LettersLexicon.Words.Has(word)
        && (word.Length < 6 && !word.ContainsAny("AEIOUY")
        || (LettersLexicon.Spelt.Has(word) && !LettersLexicon.NotInCapitals.Has(word) && !LettersLexicon.Ordinary.Has(word)));

    /// <summary>Whether English could have such a word: vowels, and no long or odd run of consonants.</summary>
    private static bool Pronounceable(ReadOnlySpan<char> word)
    {
        if (!word.ContainsAny("AEIOUY"))
            return false;
        if (word.Length > 5)
            return true;
        var run = 0;
        foreach (var c in word)
        {
            run = "AEIOUY".Contains(c) ? 0 : run + 1;
            if (run > 3)
                return false;
        }
        // How words begin and end.
        var (first, second) = (word[0], word[1]);
        var vowel = "AEIOUY".Contains(second) || "AEIOUY".Contains(first);
        if (!vowel && !WordBeginnings.Contains(word[..2].ToString(), StringComparison.Ordinal))
            return false;
        var (before, last) = (word[^2], word[^1]);
        return "AEIOUY".Contains(last) || "AEIOUY".Contains(before)
            || WordEnds.Contains(word[^2..].ToString(), StringComparison.Ordinal);
    }
}
