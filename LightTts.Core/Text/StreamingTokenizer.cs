namespace LightTts.Text;

/// <summary>Encodes text that arrives in pieces: the ids of all pieces together are those of the joined text, wherever it was cut.</summary>
/// <remarks>Ids are given as soon as no text that could follow changes them, which is about a word later. Not thread-safe: one per request.</remarks>
/// <param name="tokenizer">The tokenizer.</param>
/// <param name="allowSteering">Whether steering tokens in the text are the model's, otherwise they are text.</param>
internal sealed class StreamingTokenizer(QwenTokenizer tokenizer, bool allowSteering = true)
{
    private readonly SpecialTokenMatcher _matcher = tokenizer.Matcher(allowSteering);
    private string _raw = "";       // not yet normalised: from a character on that later text could still join
    private string _normal = "";    // normalised, not yet encoded: a word that may not be over
    private int _checked;           // _raw holds no added token that starts before this

    /// <summary>Takes the next piece of text, of any length.</summary>
    /// <returns>Ids that can no longer change, often none.</returns>
    public int[] Push(string piece) => Advance(piece, final: false);

    /// <summary>Ends the text and gives the ids that are left. The tokenizer is then as new.</summary>
    public int[] Finish() => Advance("", final: true);

    private int[] Advance(string piece, bool final)
    {
        var ids = new List<int>();
        var old = _raw.Length;
        var raw = old == 0 ? piece : _raw + piece;
        int start = 0, position = _checked;
        while (_matcher.TryFind(raw, ref position, out var length, out var id, final))
        {
            Encode(raw.AsSpan(start, position - start), final: true, ids);
            ids.Add(id);
            start = position += length;
        }
        // Normalise up to the last point that later text cannot reach back over. What was left last time has none inside.
        var cut = final ? raw.Length : Math.Min(position, raw.Length - 1);
        if (!final)
            while (cut > start && (cut < old || !UnicodeComposition.IsBoundary(raw, cut)))
                cut = cut < old ? start : cut - 1;
        cut = Math.Max(cut, start);
        Encode(raw.AsSpan(start, cut - start), final, ids);
        _raw = raw[cut..];
        _checked = final ? 0 : Math.Max(position - cut, 0);
        return [.. ids];
    }

    private void Encode(ReadOnlySpan<char> text, bool final, List<int> ids)
    {
        _normal += UnicodeComposition.Normalize(text);
        _normal = _normal[tokenizer.EncodePieces(_normal, final, ids)..];
    }
}
