using System.Text;
using System.Text.RegularExpressions;

namespace LightTts.Text;

/// <summary>Normalises text that arrives in pieces: gives what can no longer change, cut
/// where no number, date, name or abbreviation is cut.</summary>
/// <remarks>
/// <para>English is a word or two behind, Chinese five characters; figures are held until the words around them are known.</para>
/// <para>Every place where a cut is safe is cut at, in order, and each part is read in the
/// language that the text up to its end shows (a few hundred characters of it). Both depend on
/// the text alone, so that where its pieces were cut changes nothing. A whole text is read
/// with what follows in view, too; where a stream's language shows late, its first figures
/// may be read otherwise: a request's language settles that.</para>
/// <para>Not thread-safe: one per request.</para>
/// </remarks>
/// <param name="options">How the text is read.</param>
internal sealed partial class StreamingNormalizer(TextOptions options)
{
    private const int ChineseMargin = 4;    // characters that a rule may look around a figure
    private const int Memory = 256;         // characters of what was given that show the language
    private const int Reach = SentenceScanner.MaxLength + 16;

    private string _raw = "";
    private string _before = "";
    private int _scanned = 1;
    private char _last;     // the last character given; 0: none yet

    /// <summary>Whether there is anything to do.</summary>
    public static bool IsNeeded(TextOptions options) => options.Normalize || options.Pronunciations.Count > 0;

    /// <summary>Takes the next piece of text, of any length.</summary>
    /// <returns>Normalised text, often empty; the parts follow each other without anything between.</returns>
    public string Push(string piece)
    {
        _raw += piece;
        var spoken = new StringBuilder();
        var start = 0;
        while (FindCut(start) is var cut and > 0)
        {
            spoken.Append(Speak(start, cut));
            (start, _scanned) = (cut, cut + 1);
        }
        _raw = _raw[start..];
        _scanned -= start;
        return spoken.ToString();
    }

    /// <summary>Characters that were taken and are not spoken yet.</summary>
    public int Waiting => _raw.Length;

    /// <summary>Gives the sentences that are finished in what waits, without looking at what may follow them.</summary>
    public string Flush()
    {
        var end = 0;
        for (int at = 0, next; at < _raw.Length; at = next)
        {
            next = SentenceScanner.FindEnd(_raw, at);
            if (next < _raw.Length || EndsSentence(_raw))
                end = next;
        }
        if (end == 0)
            return "";
        var spoken = Speak(0, end);
        _raw = _raw[end..];
        _scanned = 1;
        return spoken;
    }

    private static bool EndsSentence(ReadOnlySpan<char> text) => text.TrimEnd(" \t\r\n\"'”’)]»」』）】") is [.., '.' or '!' or '?' or '。' or '！' or '？'];

    /// <summary>Ends the text and gives what is left. The normaliser is then as new.</summary>
    public string Finish()
    {
        var rest = Speak(0, _raw.Length);
        (_raw, _before, _scanned, _last) = ("", "", 1, '\0');
        return rest;
    }

    private string Speak(int start, int end)
    {
        if (start == end)
            return "";
        var raw = _raw[start..end];
        var near = _before + raw;
        _before = near.Length > Memory ? near[^Memory..] : near;
        var spoken = TextNormalizer.Normalize(raw, options, LanguageContext.Of(options.Language, near));
        if (!options.Normalize || spoken.Length == 0)
            return spoken;
        if (char.IsWhiteSpace(raw[0]) && _last != '\0' && !TextRuns.IsUnspaced(_last) && !TextRuns.IsUnspaced(spoken[0]))
            spoken = " " + spoken;
        _last = spoken[^1];
        return spoken;
    }

    /// <summary>The next place where a cut is safe; 0: none yet.</summary>
    private int FindCut(int start)
    {
        // What is seen is bounded, so that a decision does not depend on how much has arrived beyond it.
        var text = _raw.AsSpan(start, Math.Min(_raw.Length - start, Reach));
        var full = text.Length == Reach;
        for (var i = _scanned - start; i < Math.Min(text.Length, SentenceScanner.MaxLength); i++)
        {
            var safe = char.IsWhiteSpace(text[i]) ? IsSafeBlank(text, i) : text[i] >= 0x3000 ? IsSafeChinese(text, i) : false;
            if (safe == true)
                return start + i;
            if (safe is null && !full)
            {
                _scanned = start + i;
                return 0;
            }
        }
        _scanned = start + Math.Min(text.Length, SentenceScanner.MaxLength);
        // Text in which no place is safe must not grow without end.
        return full ? start + SentenceScanner.FindCut(text[..SentenceScanner.MaxLength]) : 0;
    }

    /// <summary>Whether no rule sees both sides of a blank: a plain word before it, the
    /// start of a word after it, no figure near; null: what follows decides.</summary>
    private bool? IsSafeBlank(ReadOnlySpan<char> text, int blank)
    {
        if (char.IsWhiteSpace(text[blank - 1]))
            return false;
        var word = text[(text[..blank].LastIndexOfAny(' ', '\t', '\n') + 1)..blank];
        foreach (var dictionary in options.Pronunciations)
            if (dictionary.MayGoOn(word.TrimStart("\"'“‘(")))
                return false;
        if (!options.Normalize)
            return true;
        if (!PlainWord().IsMatch(text[Math.Max(0, blank - 48)..blank]))
            return false;
        var next = text[blank..].TrimStart();
        if (next.Length < 2)
            return null;
        // "Main St.": a street only with the word before it.
        return char.IsAsciiLetter(next[0]) && !next.StartsWith("St", StringComparison.Ordinal);
    }

    /// <summary>Whether a cut between two Chinese characters is out of reach of every
    /// rule: they look at figures only; null: what follows decides.</summary>
    private bool? IsSafeChinese(ReadOnlySpan<char> text, int cut)
    {
        if (cut < ChineseMargin)
            return false;
        var around = text[(cut - ChineseMargin)..Math.Min(cut + ChineseMargin, text.Length)];
        if (around.ContainsAnyExceptInRange('\u4e00', '\u9fff'))
            return false;
        if (around.Length < 2 * ChineseMargin)
            return null;
        foreach (var dictionary in options.Pronunciations)
        {
            var longest = dictionary.LongestUnspaced;
            if (longest > 1 && cut + longest > text.Length)
                return null;
            for (var i = Math.Max(0, cut - longest + 1); i < cut; i++)
                if (dictionary.Find(text[i..], static _ => true, out _) > cut - i)
                    return false;
        }
        return true;
    }

    // The last word is in plain small letters (or ends a clause), none of the two last has figures, and it is none that changes what follows.
    [GeneratedRegex(@"(?:^|\s)(?:[A-Za-z][a-z']{0,30}[,;]?\s)?(?!(?:[Ii]n|[Ss]ince|[Uu]ntil|[Tt]ill|[Bb]y|[Yy]ear|[Bb]efore|[Aa]fter|[Cc]irca"
        + @"|[Dd]uring|[Ee]arly|[Ll]ate|[Mm]id" +
        @"|[Ss]pring|[Ss]ummer|[Aa]utumn|[Ff]all|[Ww]inter|number|[Tt]he|of|[Cc]hapter|[Pp]art|[Aa]ct|[Ss]cene|[Vv]olume|[Ss]ection|[Bb]ook|[Pp]hase"
        + @"|[Tt]ype|[Cc]lass|[Aa]ppendix" +
        @"|[Aa]rticle|[Ee]pisode|[Ss]eason|[Ll]evel|[Ss]tage|[Tt]itle|may|to|and|flight)\s?$)[a-z][a-z']{0,30}[,;!?]?$",
        RegexOptions.CultureInvariant)]
    private static partial Regex PlainWord();
}
