using System.Text;

namespace LightTts.Text;

/// <summary>The reference's splitter: cuts at marks, then joins neighbours to pieces of about 60 to 80.</summary>
/// <remarks>Reference: split_paragraph in utils/frontend_utils.py.</remarks>
internal static class SentenceSplitter
{
    /// <summary>Above this much a piece is not extended, if it has more than <see cref="MinLength"/> already.</summary>
    public const int MaxLength = 80;

    /// <summary>At most this much is extended whatever comes.</summary>
    public const int MinLength = 60;

    /// <summary>A last piece that is shorter joins the one before.</summary>
    public const int MergeLength = 20;

    /// <summary>Length of Chinese text.</summary>
    public static int CountCharacters(string text)
    {
        var count = 0;
        foreach (var _ in text.EnumerateRunes())
            count++;
        return count;
    }

    /// <summary>Splits normalised text.</summary>
    /// <param name="text">Normalised text.</param>
    /// <param name="chinese">Which marks end a sentence, and which one is added where the text ends without.</param>
    /// <param name="length">Length of a text: characters for Chinese, tokens otherwise.</param>
    /// <param name="commaSplit">Whether commas end a sentence too.</param>
    /// <param name="maxLength">See <see cref="MaxLength"/>.</param>
    /// <param name="minLength">See <see cref="MinLength"/>.</param>
    /// <param name="mergeLength">See <see cref="MergeLength"/>.</param>
    /// <returns>The pieces and the part of <paramref name="text"/>, in UTF-16 code units, that each comes from.</returns>
    public static List<(string Text, Range Source)> Split(string text, bool chinese, Func<string, int> length, bool commaSplit = false,
        int maxLength = MaxLength, int minLength = MinLength, int mergeLength = MergeLength)
    {
        var result = new List<(string Text, Range Source)>();
        (string Text, int Start, int End) current = ("", 0, 0);
        foreach (var (piece, start, end) in Cut(text, (chinese ? "。？！；：、.?!;" : ".?!;:") + (commaSplit ? "，," : ""), chinese ? '。' : '.'))
        {
            if (length(current.Text + piece) > maxLength && length(current.Text) > minLength)
            {
                result.Add((current.Text, current.Start..current.End));
                current = ("", start, end);
            }
            current = (current.Text + piece, current.Text.Length == 0 ? start : current.Start, end);
        }
        if (current.Text.Length == 0)
            return result;
        if (result.Count > 0 && length(current.Text) < mergeLength)
            result[^1] = (result[^1].Text + current.Text, result[^1].Source.Start..current.End);
        else
            result.Add((current.Text, current.Start..current.End));
        return result;
    }

    private static List<(string Text, int Start, int End)> Cut(string text, string marks, char closing)
    {
        var pieces = new List<(string Text, int Start, int End)>();
        if (text.Length == 0)
            return pieces;
        var closed = marks.Contains(text[^1]) ? text : text + closing;
        var start = 0;
        for (var i = 0; i < closed.Length; i++)
        {
            if (!marks.Contains(closed[i]))
                continue;
            if (i > start)
                pieces.Add((closed[start..(i + 1)], start, Math.Min(i + 1, text.Length)));
            start = i + 1;
            // A closing quotation mark belongs to what it closes. (The reference fails where nothing is before it.)
            if (start < closed.Length && closed[start] is '"' or '”')
            {
                if (pieces.Count > 0)
                    pieces[^1] = (pieces[^1].Text + closed[start], pieces[^1].Start, start + 1);
                start++;
            }
        }
        return pieces;
    }
}
