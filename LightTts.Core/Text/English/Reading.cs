namespace LightTts.Text.English;

/// <summary>A text under way: what is written, what is said so far, and the neighbours of a place.</summary>
/// <remarks>Every look to the left or right is bounded, so that reading takes time linear in the text.</remarks>
internal sealed class Reading(string text, ReadingOptions options)
{
    private const int Reach = 80;       // characters that a word's sentence is looked at, each way

    public string Text { get; } = text;

    public bool British { get; } = options.British;

    public SpokenText Spoken { get; } = new(text.Length + (text.Length / 4) + 16);

    /// <summary>The character at a place; 0 outside of the text.</summary>
    public char At(int place) => (uint)place < (uint)Text.Length ? Text[place] : '\0';

    public ReadOnlySpan<char> Span(int start, int end) => Text.AsSpan(start, end - start);

    public void Say(ReadOnlySpan<char> words) => Spoken.Say(words);

    public string Cardinal(ReadOnlySpan<char> digits) => EnglishNumbers.Cardinal(digits, "", British);

    public string Ordinal(ReadOnlySpan<char> digits) => EnglishNumbers.Ordinal(digits, British);

    public string Year(ReadOnlySpan<char> digits) => EnglishNumbers.Year(digits, British);

    public string Number(string number) => EnglishNumbers.Number(number, British);

    /// <summary>Whether a token may start here: no letter or figure touches it on the left.</summary>
    public bool Starts(int place) => !char.IsLetterOrDigit(At(place - 1));

    /// <summary>Whether no letter or figure follows.</summary>
    public bool Ends(int place) => !char.IsLetterOrDigit(At(place));

    /// <summary>The place after any blanks.</summary>
    public int SkipBlanks(int place)
    {
        while (At(place) == ' ')
            place++;
        return place;
    }

    /// <summary>The end of the run of letters (and apostrophes within) that starts here.</summary>
    public int WordEnd(int place)
    {
        var end = place;
        while (end < Text.Length && end - place < 64
            && (char.IsLetter(Text[end]) || (Text[end] == '\'' && end > place && char.IsLetter(At(end + 1)))))
            end++;
        return end;
    }

    /// <summary>The word after a place, behind one blank or hyphen; empty: something else is there.</summary>
    public ReadOnlySpan<char> WordAfter(int place)
    {
        if (At(place) is ' ' or '-')
            place++;
        return Span(place, WordEnd(place));
    }

    /// <summary>The word before a place, with blanks, a colon, a hyphen or a stop between; empty: something else is there.</summary>
    public ReadOnlySpan<char> WordBefore(int place) => WordBefore(place, out _);

    public ReadOnlySpan<char> WordBefore(int place, out int start)
    {
        var end = place;
        while (end > 0 && place - end < 4 && Text[end - 1] is ' ' or ':' or '-' or '.' or '#' or '(')
            end--;
        start = end;
        while (start > 0 && end - start < 32
            && (char.IsLetter(Text[start - 1]) || (Text[start - 1] == '\'' && start > 1 && char.IsLetter(Text[start - 2]))))
            start--;
        return Span(start, end);
    }

    /// <summary>Whether a full stop before this place, which is part of an abbreviation, also ends the sentence.</summary>
    public bool EndsSentence(int place)
    {
        var rest = Text.AsSpan(place, Math.Min(24, Text.Length - place)).TrimStart(" \"')]");
        if (rest.IsEmpty)
            return true;
        if (!char.IsUpper(rest[0]) || At(place) is not (' ' or '"' or '\'' or ')'))
            return false;
        var end = 0;
        while (end < rest.Length && (char.IsLetter(rest[end]) || rest[end] == '\''))
            end++;
        return AbbreviationLexicon.SentenceStarts.Has(rest[..end]);
    }

    /// <summary>Says an abbreviation that ends in a full stop; the stop stays where it ends the sentence.</summary>
    public int SayDotted(ReadOnlySpan<char> words, int end)
    {
        Say(words);
        if (EndsSentence(end) && At(end) is not ('.' or '?' or '!'))
            Spoken.Mark('.', touchesNext: false);
        return end;
    }

    /// <summary>Whether the words around are in capitals, so that capitals mean nothing.</summary>
    public bool InCapitals(int start, int end)
    {
        var (lower, upper) = (0, 0);
        var initial = true;
        for (var i = start - 1; i >= Math.Max(0, start - Reach) && !(Text[i] is '.' or '!' or '?' && At(i + 1) == ' '); i--)
            Count(Text[i]);
        for (var i = end; i < Math.Min(Text.Length, end + Reach) && !(Text[i] is '.' or '!' or '?' && At(i + 1) is ' ' or '\0'); i++)
            Count(Text[i]);
        return !initial && upper > 3 && lower * 3 < upper;

        void Count(char c)
        {
            if (char.IsLower(c))
                lower++;
            else if (char.IsUpper(c))
                upper++;
            else
                return;
            initial = false;
        }
    }

    /// <summary>Whether an amount stands before a noun: "a 5 km run", not "5 km away".</summary>
    public bool IsBeforeNoun(int start, int end)
    {
        var hyphen = At(end) == '-';
        if (At(end) is not (' ' or '-'))
            return false;
        var next = Span(end + 1, WordEnd(end + 1));
        if (next.IsEmpty)
            return false;
        // "a 6 ft tall man".
        if (next is "tall" or "long" or "wide" or "deep" or "high" or "thick" or "old")
            return WordBefore(start) is "a" or "an" or "A" or "An" && WordAfter(end + 1 + next.Length) is { Length: > 2 } noun
            && !NounLexicon.NotNouns.Has(noun);
        if (NounLexicon.NotNouns.Has(next))
            return false;
        if (hyphen || NounLexicon.AfterAmount.Has(next))
            return true;
        if (NounLexicon.AfterAmount.Has(next.TrimEnd('s')))
            return true;
        if (At(start - 1) != ' ')
            return false;
        // The determiner may have one adjective behind it.
        var before = WordBefore(start, out var at);
        if (before.IsEmpty || At(start - 2) is '.' or ':')
            return false;
        return NounLexicon.Determiners.Has(before) ? !IsVerbLike(next) : before is { Length: > 2 } && !NounLexicon.NotNouns.Has(before)
            && WordBefore(at) is "a" or "an" or "A" or "An" && At(at - 1) == ' ' && !IsVerbLike(next);

        static bool IsVerbLike(ReadOnlySpan<char> word) => word.EndsWith("ed") || word.EndsWith("ly");
    }
}
