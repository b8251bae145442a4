namespace LightTts.Text;

/// <summary>From a request's text to utterances: cut into sentences, normalised, grouped by the reference's rules, as tokens.</summary>
/// <remarks>Thread-safe. Lazy: memory does not grow with the text, and the first segment needs only the first sentences.
/// Unlike the reference it also cuts sentences that are too long for one utterance, whatever they are made of: no text makes a long one.</remarks>
/// <param name="tokenizer">The model's tokenizer.</param>
internal sealed class TextFrontEnd(QwenTokenizer tokenizer)
{
    /// <summary>No segment is longer in tokens, and one of mostly Chinese characters not in characters, closing marks aside.</summary>
    public const int HardLimit = 100;

    /// <summary>No segment is longer in tokens, whatever it is made of.</summary>
    public const int MaxTokens = 240;

    // The reference's lengths (split_paragraph in utils/frontend_utils.py): a piece above the
    // largest is not extended where it has more than the smallest already, and a last one that is
    // shorter than the merging length joins the one before.
    private const int ReferenceMaxLength = 80;
    private const int ReferenceMinLength = 60;
    private const int ReferenceMergeLength = 20;

    private const int LongSentence = 1000;

    /// <summary>Splits a text. Text without anything to say gives nothing.</summary>
    /// <param name="text">Any text.</param>
    /// <param name="options">How it is read. Text that is not normalised, has no
    /// pronunciations and is short enough gets only what the model wants.</param>
    public IEnumerable<TextSegment> Split(string text, TextOptions options)
    {
        if (!options.Normalize && options.Pronunciations.Count == 0 && text.Length <= SentenceScanner.MaxLength && TextNormalizer.IsSpeakable(text)
            && Length(text) <= HardLimit)
            return Segments(new Piece(options.Closes ? Close(text, '.', '。') : text, 0, text.Length, 0), options);
        return Group(Pieces(text, options), options);
    }

    private IEnumerable<TextSegment> Group(IEnumerable<Piece> pieces, TextOptions options)
    {
        Piece? ready = null, current = null;
        foreach (var piece in pieces)
        {
            if (current is null)
            {
                current = piece;
                continue;
            }
            var joined = Join(current, piece);
            if (joined.Length > ReferenceMinLength)
                (current, joined) = (Measured(current), Measured(joined));
            if (joined.Length > ReferenceMaxLength && (joined.Length > HardLimit || current.Length > ReferenceMinLength))
            {
                foreach (var segment in Segments(ready, options))
                    yield return segment;
                (ready, current) = (current, piece);
            }
            else
            {
                current = joined;
            }
        }
        if (current is not null && ready is not null && Length(current.Text) < ReferenceMergeLength && Join(ready, current) is var both
            && Length(both.Text) <= HardLimit)
            (ready, current) = (null, both);
        foreach (var segment in Segments(ready, options))
            yield return segment;
        foreach (var segment in Segments(current, options))
            yield return segment;
    }

    private IEnumerable<Piece> Pieces(string text, TextOptions options)
    {
        var window = new TextWindow(text);
        for (int start = 0, end; start < text.Length; start = end)
        {
            end = SentenceScanner.FindEnd(text, start);
            var place = start;
            var languages = LanguageContext.Of(options.Language, text[start..end], () => window.Evidence(place), () => window.Scripts(place),
                () => window.Latin(place));
            foreach (var piece in Fit(text, start, end, options, languages, endsSentence: true))
                yield return piece;
        }
    }

    /// <summary>A sentence, cut into halves until each fits.</summary>
    private IEnumerable<Piece> Fit(string text, int start, int end, TextOptions options, LanguageContext languages, bool endsSentence)
    {
        while (start < end && char.IsWhiteSpace(text[start]))
            start++;
        while (start < end && char.IsWhiteSpace(text[end - 1]))
            end--;
        // So much is never one piece, and need not be written out to know it.
        if (end - start > LongSentence)
        {
            foreach (var piece in Halves(text, start, end, options, languages, endsSentence))
                yield return piece;
            yield break;
        }
        // Signs have names, but a row of nothing but signs is a decoration.
        var raw = text[start..end];
        if (!TextNormalizer.IsSpeakable(raw))
            yield break;
        var spoken = TextNormalizer.Normalize(raw, options, languages);
        if (!TextNormalizer.IsSpeakable(spoken))
            yield break;
        var length = Length(spoken);
        if (end - start < 4 || length <= ReferenceMaxLength)
        {
            yield return new Piece(options.Closes && endsSentence ? Close(spoken, '.', '。') : spoken, start, end, length + 1);
            yield break;
        }
        foreach (var piece in Halves(text, start, end, options, languages, endsSentence))
            yield return piece;
    }

    private IEnumerable<Piece> Halves(string text, int start, int end, TextOptions options, LanguageContext languages, bool endsSentence)
    {
        var cut = start + SentenceScanner.FindCut(text.AsSpan(start, end - start));
        return Fit(text, start, cut, options, languages, endsSentence: false).Concat(Fit(text, cut, end, options, languages, endsSentence));
    }

    /// <summary>A piece as it goes to the model: nearly always one segment; where few
    /// characters became very many words, several of the same source.</summary>
    private IEnumerable<TextSegment> Segments(Piece? piece, TextOptions options)
    {
        if (piece is null)
            return [];
        var text = options.Closes ? Close(piece.Text, ',', '，') : piece.Text;
        if (options.LetterNames)
            text = LetterNames.Apply(text, options.Reading.British);
        return Bounded(options.SentenceCase ? SentenceCase.Apply(text) : text, piece.Start..piece.End, options);
    }

    private IEnumerable<TextSegment> Bounded(string text, Range source, TextOptions options)
    {
        var tokens = text.Length <= SentenceScanner.MaxLength ? tokenizer.Encode(text, options.AllowSpecialTokens) : null;
        if (tokens is { Length: <= MaxTokens } || text.Length < 2)
        {
            if (TextNormalizer.IsSpeakable(text))
                yield return new TextSegment(text, tokens!, source);
            yield break;
        }
        var cut = SentenceScanner.FindCut(text);
        foreach (var part in Bounded(text[..cut].TrimEnd(), source, options))
            yield return part;
        foreach (var part in Bounded(text[cut..].TrimStart(), source, options))
            yield return part;
    }

    private static Piece Join(Piece first, Piece second)
    {
        var unspaced = TextRuns.IsUnspaced(first.Text[^1]) || TextRuns.IsUnspaced(second.Text[0]);
        return new Piece(string.Concat(first.Text, unspaced ? "" : " ", second.Text), first.Start, second.End, first.Length + second.Length + 1);
    }

    /// <summary>The piece with its true length, which joining only bounds.</summary>
    private Piece Measured(Piece piece) => piece with { Length = Length(piece.Text) };

    /// <summary>Ends text with a mark where it has none: without, the model does not know that it is over.</summary>
    private static string Close(string text, char mark, char chineseMark)
    {
        var end = text.AsSpan().TrimEnd("\"'”’)]»」』）】 ");
        if (end.Length > 0 && end[^1] is '.' or '?' or '!' or ';' or ':' or '。' or '？' or '！' or '；' or '：')
            return text;
        text = text.TrimEnd(' ', ',', '，', '、', '-', '–', '—');
        return text + (text.Length > 0 && TextRuns.IsUnspaced(text[^1]) ? chineseMark : mark);
    }

    /// <summary>The reference's length: characters of Chinese, tokens of the rest; here Chinese is what is mostly Chinese.</summary>
    private int Length(string text) =>
        ReferenceNormalizer.IsChinese(text) && ScriptCount.Of(text).Main == Script.Han ? text.EnumerateRunes().Count()
        : tokenizer.Encode(text, allowSteering: true).Length;

    /// <param name="Text">As it is spoken.</param>
    /// <param name="Start">Where it comes from in the text.</param>
    /// <param name="End">Where that ends.</param>
    /// <param name="Length">At least its length.</param>
    private sealed record Piece(string Text, int Start, int End, int Length);
}
