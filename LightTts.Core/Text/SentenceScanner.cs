using System.Globalization;

namespace LightTts.Text;

/// <summary>Finds where sentences end in raw text, and where one that is too long is best cut.</summary>
internal static class SentenceScanner
{
    /// <summary>No sentence is longer, in UTF-16 code units.</summary>
    public const int MaxLength = 2000;

    private const string Closers = "\"'”’)]»」』）】";

    /// <summary>The end of the sentence that starts at <paramref name="start"/>: above it, at most the length of the text.</summary>
    public static int FindEnd(ReadOnlySpan<char> text, int start)
    {
        var limit = Math.Min(text.Length, start + MaxLength);
        for (var i = start; i < limit; i++)
        {
            if (EndAt(text[..limit], text, start, i) is var end and > 0)
                return Math.Min(end, limit);
            // A row of marks is looked at once.
            if (IsMark(text[i]))
                while (i + 1 < limit && IsMark(text[i + 1]))
                    i++;
        }
        return limit == text.Length ? limit : start + (MaxLength / 2) + FindCut(text[(start + (MaxLength / 2))..limit]);
    }

    /// <summary>Where to cut a text of at least two code units in two: after a clause,
    /// else at a blank, else anywhere, as near to the middle as may be.</summary>
    public static int FindCut(ReadOnlySpan<char> text)
    {
        var middle = text.Length / 2;
        int clause = -1, blank = -1;
        for (var i = 1; i < text.Length; i++)
        {
            var isBlank = char.IsWhiteSpace(text[i]);
            if ((isBlank && text[i - 1] is ',' or ';' or ':' or '—' or '–')
                || (text[i - 1] is '，' or '、' or '；' or '：' or '。' or '！' or '？' && !Closers.Contains(text[i])))
                clause = Nearer(clause, i);
            else if (isBlank && !(char.IsAsciiDigit(text[i - 1]) && i + 1 < text.Length && !char.IsAsciiLetterLower(text[i + 1])))
                blank = Nearer(blank, i);
        }
        if (clause > text.Length / 5 && clause < text.Length - (text.Length / 5))
            return clause;
        if (blank > 0)
            return blank;
        // A word without end: not inside a character, if that is possible.
        var cut = middle;
        while (cut > 1 && (char.IsLowSurrogate(text[cut])
            || char.GetUnicodeCategory(text[cut]) is UnicodeCategory.NonSpacingMark or UnicodeCategory.Format))
            cut--;
        return cut > 1 || !char.IsLowSurrogate(text[1]) ? Math.Max(cut, 1) : Math.Min(2, text.Length - 1);

        int Nearer(int best, int candidate) => best < 0 || Math.Abs(candidate - middle) < Math.Abs(best - middle) ? candidate : best;
    }

    /// <summary>The end of a sentence whose mark stands at <paramref name="i"/>; 0: none ends here.</summary>
    /// <param name="text">As far as the sentence may reach.</param>
    /// <param name="all">The whole text.</param>
    /// <param name="start">Where the sentence begins.</param>
    /// <param name="i">Where to look.</param>
    private static int EndAt(ReadOnlySpan<char> text, ReadOnlySpan<char> all, int start, int i)
    {
        switch (text[i])
        {
            case '\n':
                return EndsParagraph(all[(i + 1)..]) ? i + 1 : 0;
            case '。' or '？' or '！' or '；':
                return AfterClosers(text, i + 1);
            case '：':
                return i + 1 < text.Length && char.IsAsciiDigit(text[i + 1]) ? 0 : i + 1;
            case '.' or '!' or '?' or ';' or ':':
                break;
            default:
                return 0;
        }
        var end = AfterClosers(text, i + 1);
        if (end == all.Length)
            return end;
        var next = all[end..];
        if (!char.IsWhiteSpace(next[0]))
            return text[i] is '!' or '?' or ';' && TextRuns.IsUnspaced(next[0]) ? end : 0;
        if (text[i] == '.' && char.IsAsciiDigit(text[i - (i > start ? 1 : 0)]) && SentenceStops.IsOrdinal(text[start..i],
            next[..Math.Min(next.Length, 24)].TrimStart()))
            return 0;
        return text[i] != '.' || SentenceStops.MayEnd(WordBefore(text[start..i]), next[..Math.Min(next.Length, 64)].TrimStart()) ? end : 0;
    }

    private static bool IsMark(char c) => c is '.' or '!' or '?' or '。' or '！' or '？';

    private static int AfterClosers(ReadOnlySpan<char> text, int end)
    {
        while (end < text.Length && (IsMark(text[end]) || Closers.Contains(text[end])))
            end++;
        return end;
    }

    private static ReadOnlySpan<char> WordBefore(ReadOnlySpan<char> text)
    {
        var start = text.Length;
        while (start > 0 && text.Length - start < 12 && (char.IsLetter(text[start - 1]) || text[start - 1] == '.'))
            start--;
        return text[start..];
    }

    /// <summary>Whether a blank line follows, or an item of a list.</summary>
    private static bool EndsParagraph(ReadOnlySpan<char> rest)
    {
        rest = rest[..Math.Min(rest.Length, 200)].TrimStart(" \t\r");
        if (rest.IsEmpty || rest[0] == '\n')
            return true;
        var digits = rest.Length - rest.TrimStart("0123456789").Length;
        return (rest.Length > 1 && rest[0] is '-' or '*' or '•' or '·' or '#' && rest[1] is ' ' or '#')
            || (digits is 1 or 2 && rest.Length > digits + 1 && rest[digits] is '.' or ')' or '、' && rest[digits + 1] is ' ');
    }
}
