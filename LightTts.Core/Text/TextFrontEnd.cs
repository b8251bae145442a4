namespace LightTts.Text;

/// <summary>From a request's text to utterances: cut into sentences, normalised, grouped by the reference's rules, as tokens.</summary>
/// <remarks>Thread-safe. Lazy: memory does not grow with the text, and the first segment needs only the first sentences.
/// Unlike the reference it also cuts sentences that are too long for one utterance.</remarks>
/// <param name="tokenizer">The model's tokenizer.</param>
internal sealed class TextFrontEnd(QwenTokenizer tokenizer)
{
    /// <summary>No segment is longer, in tokens (Chinese: characters), closing marks aside.</summary>
    public const int HardLimit = 100;

    /// <summary>Splits a text. Text without anything to say gives nothing.</summary>
    /// <param name="text">Any text; with <c>&lt;|...|&gt;</c> in it, it is one segment and stays as it is, as in the reference.</param>
    /// <param name="normalize">Whether figures, abbreviations and the like are written out; if not, text that is short enough is not touched at all.</param>
    public IEnumerable<TextSegment> Split(string text, bool normalize = true)
    {
        if (ReferenceNormalizer.IsVerbatim(text) || (!normalize && text.Length <= SentenceScanner.MaxLength && TextNormalizer.IsSpeakable(text) && Length(text) <= HardLimit))
        {
            yield return new TextSegment(text, tokenizer.Encode(text), ..text.Length);
            yield break;
        }
        Piece? ready = null, current = null;
        foreach (var piece in Pieces(text, normalize))
        {
            if (current is null)
            {
                current = piece;
                continue;
            }
            var joined = Join(current, piece);
            var length = Length(joined.Text);
            if (length > SentenceSplitter.MaxLength && (length > HardLimit || Length(current.Text) > SentenceSplitter.MinLength))
            {
                if (ready is not null)
                    yield return Segment(ready, normalize);
                (ready, current) = (current, piece);
            }
            else
                current = joined;
        }
        if (current is not null && ready is not null && Length(current.Text) < SentenceSplitter.MergeLength && Join(ready, current) is var all && Length(all.Text) <= HardLimit)
            (ready, current) = (null, all);
        if (ready is not null)
            yield return Segment(ready, normalize);
        if (current is not null)
            yield return Segment(current, normalize);
    }

    private IEnumerable<Piece> Pieces(string text, bool normalize)
    {
        for (int start = 0, end; start < text.Length; start = end)
        {
            end = SentenceScanner.FindEnd(text, start);
            foreach (var piece in Fit(text, start, end, normalize, endsSentence: true))
                yield return piece;
        }
    }

    /// <summary>A sentence, cut into halves until each fits.</summary>
    private IEnumerable<Piece> Fit(string text, int start, int end, bool normalize, bool endsSentence)
    {
        while (start < end && char.IsWhiteSpace(text[start]))
            start++;
        while (start < end && char.IsWhiteSpace(text[end - 1]))
            end--;
        // Signs have names, but a row of nothing but signs is a decoration.
        var raw = text[start..end];
        if (!TextNormalizer.IsSpeakable(raw))
            yield break;
        var spoken = normalize ? TextNormalizer.Normalize(raw) : raw;
        if (!TextNormalizer.IsSpeakable(spoken))
            yield break;
        if (end - start < 4 || Length(spoken) <= SentenceSplitter.MaxLength)
        {
            yield return new Piece(normalize && endsSentence ? Close(spoken, '.', '。') : spoken, start, end);
            yield break;
        }
        var cut = start + SentenceScanner.FindCut(raw);
        foreach (var piece in Fit(text, start, cut, normalize, endsSentence: false))
            yield return piece;
        foreach (var piece in Fit(text, cut, end, normalize, endsSentence))
            yield return piece;
    }

    private TextSegment Segment(Piece piece, bool normalize)
    {
        var text = normalize ? Close(piece.Text, ',', '，') : piece.Text;
        return new TextSegment(text, tokenizer.Encode(text), piece.Start..piece.End);
    }

    private static Piece Join(Piece first, Piece second)
    {
        var chinese = ReferenceNormalizer.IsChinese([first.Text[^1], second.Text[0]]) || first.Text[^1] is '。' or '，' or '？' or '！' or '；' or '：';
        return new Piece(string.Concat(first.Text, chinese ? "" : " ", second.Text), first.Start, second.End);
    }

    /// <summary>Ends text with a mark where it has none: without, the model does not know that it is over.</summary>
    private static string Close(string text, char mark, char chineseMark)
    {
        var end = text.AsSpan().TrimEnd("\"'”’)]»」』）】 ");
        if (end.Length > 0 && end[^1] is '.' or '?' or '!' or ';' or ':' or '。' or '？' or '！' or '；' or '：')
            return text;
        return text.TrimEnd(' ', ',', '，', '、', '-', '–', '—') + (ReferenceNormalizer.IsChinese(text) ? chineseMark : mark);
    }

    private int Length(string text) => ReferenceNormalizer.IsChinese(text) ? SentenceSplitter.CountCharacters(text) : tokenizer.Encode(text).Length;

    private sealed record Piece(string Text, int Start, int End);
}
