using LightTts.Text.English;

namespace LightTts.Text;

/// <summary>What a full stop after an English word means.</summary>
internal static class EnglishAbbreviations
{
    /// <summary>Whether a word with a full stop behind it is a known abbreviation.</summary>
    public static bool IsAbbreviation(ReadOnlySpan<char> word) =>
        AbbreviationLexicon.Titles.Find(word) is not null || AbbreviationLexicon.Dotted.Find(word) is not null
        || AbbreviationLexicon.Latin.Find(word) is not null
        || AbbreviationLexicon.Streets.Find(word) is not null || AbbreviationLexicon.NeverLast.Has(word);

    /// <summary>Whether a full stop may end a sentence.</summary>
    /// <param name="word">The word before it.</param>
    /// <param name="rest">What follows, from the first character on that is not blank.</param>
    public static bool StopMayEndSentence(ReadOnlySpan<char> word, ReadOnlySpan<char> rest)
    {
        if (rest.IsEmpty)
            return true;
        if (char.IsLower(rest[0]) || AbbreviationLexicon.NeverLast.Has(word))
            return false;
        if (char.IsAsciiDigit(rest[0]) && AbbreviationLexicon.NotLastBeforeFigure.Has(word))
            return false;
        // After an initial, initials or an abbreviation only a word that often starts a sentence.
        var initials = (word.Length == 1 && char.IsAsciiLetterUpper(word[0]) && word[0] != 'I')
            || (word.Length > 2 && word[^2] == '.' && char.IsAsciiLetterUpper(word[0]));
        return !initials || StartsSentence(rest);
    }

    private static bool StartsSentence(ReadOnlySpan<char> rest)
    {
        rest = rest.TrimStart("\"')");
        var end = 0;
        while (end < rest.Length && (char.IsLetter(rest[end]) || rest[end] == '\''))
            end++;
        return end < rest.Length && AbbreviationLexicon.SentenceStarts.Has(rest[..end]);
    }
}
