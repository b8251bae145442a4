using System.Text.RegularExpressions;

namespace LightTts.Text;

/// <summary>Normalises text that arrives in pieces: gives what can no longer change, cut where no number, date, name or abbreviation is cut.</summary>
/// <remarks>English is a word or two behind, Chinese five characters; figures are held until the words around them are known. Not thread-safe: one per request.</remarks>
internal sealed partial class StreamingNormalizer
{
    private const int ChineseMargin = 4;    // characters that a rule may look around a figure

    private string _raw = "";
    private char _last;     // the last character given; 0: none yet

    /// <summary>Takes the next piece of text, of any length.</summary>
    /// <returns>Normalised text, often empty; the parts follow each other without anything between.</returns>
    public string Push(string piece)
    {
        _raw += piece;
        var cut = FindCut(_raw);
        // Text in which no place is safe must not grow without end.
        if (cut == 0 && _raw.Length > SentenceScanner.MaxLength)
            cut = SentenceScanner.FindCut(_raw);
        return cut == 0 ? "" : Take(cut);
    }

    /// <summary>Ends the text and gives what is left. The normaliser is then as new.</summary>
    public string Finish()
    {
        var rest = Take(_raw.Length);
        _last = '\0';
        return rest;
    }

    private string Take(int cut)
    {
        var blank = cut > 0 && char.IsWhiteSpace(_raw[0]);
        var spoken = TextNormalizer.Normalize(_raw[..cut]);
        _raw = _raw[cut..];
        if (spoken.Length == 0)
            return "";
        if (blank && _last != '\0' && !ReferenceNormalizer.IsChinese([_last, spoken[0]]) && _last is not ('。' or '！' or '？' or '；'))
            spoken = " " + spoken;
        _last = spoken[^1];
        return spoken;
    }

    /// <summary>The last place where a cut is safe; 0: none.</summary>
    private static int FindCut(string text)
    {
        for (var i = text.Length - 1; i > 0; i--)
            if (char.IsWhiteSpace(text[i]) ? IsSafeBlank(text, i) : text[i] >= 0x3000 && IsSafeChinese(text, i))
                return i;
        return 0;
    }

    /// <summary>Whether no rule sees both sides of a blank: a plain word before it, the start of a word after it, no figure near.</summary>
    private static bool IsSafeBlank(string text, int blank)
    {
        if (char.IsWhiteSpace(text[blank - 1]))
            return false;
        var next = text.AsSpan(blank).TrimStart();
        // "Main St.": a street only with the word before it.
        if (next.Length < 2 || !char.IsAsciiLetter(next[0]) || next.StartsWith("St", StringComparison.Ordinal))
            return false;
        var before = text.AsSpan(Math.Max(0, blank - 48), Math.Min(48, blank));
        return PlainWord().IsMatch(before);
    }

    /// <summary>Whether a cut between two Chinese characters is out of reach of every rule: they look at figures only.</summary>
    private static bool IsSafeChinese(string text, int cut)
    {
        if (cut < ChineseMargin || cut + ChineseMargin > text.Length)
            return false;
        foreach (var c in text.AsSpan(cut - ChineseMargin, 2 * ChineseMargin))
            if (!char.IsBetween(c, '\u4e00', '\u9fff'))
                return false;
        return true;
    }

    // The last word is in plain small letters (or ends a clause), none of the two last has figures, and it is none that changes what follows.
    [GeneratedRegex(@"(?:^|\s)(?:[A-Za-z][a-z']{0,30}[,;]?\s)?(?!(?:[Ii]n|[Ss]ince|[Uu]ntil|[Tt]ill|[Bb]y|[Yy]ear|[Bb]efore|[Aa]fter|[Cc]irca|[Dd]uring|[Ee]arly|[Ll]ate|[Mm]id|[Ss]pring|[Ss]ummer|[Aa]utumn|[Ff]all|[Ww]inter|number|[Tt]he|of|[Cc]hapter|[Pp]art|[Aa]ct|[Ss]cene|[Vv]olume|[Ss]ection|[Bb]ook|[Pp]hase|[Tt]ype|[Cc]lass|[Aa]ppendix|[Aa]rticle|[Ee]pisode|[Ss]eason|[Ll]evel|[Ss]tage|[Tt]itle|may|to|and)\s?$)[a-z][a-z']{0,30}[,;!?]?$", RegexOptions.CultureInvariant)]
    private static partial Regex PlainWord();
}
