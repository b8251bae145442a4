using System.Buffers;

namespace LightTts.Text;

/// <summary>Finds added tokens in raw text: leftmost, then longest.</summary>
/// <remarks>Thread-safe. Linear: at most one look-up for each length of token at each position where one could start.</remarks>
internal sealed class SpecialTokenMatcher
{
    private readonly Dictionary<string, int> _ids;
    private readonly HashSet<string> _prefixes = [];
    private readonly SearchValues<char> _starts;
    private readonly int[] _lengths;

    /// <param name="ids">Tokens, none of them empty, and their ids.</param>
    public SpecialTokenMatcher(IReadOnlyDictionary<string, int> ids)
    {
        _ids = new Dictionary<string, int>(ids, StringComparer.Ordinal);
        _starts = SearchValues.Create([.. ids.Keys.Select(token => token[0]).Distinct()]);
        _lengths = [.. ids.Keys.Select(token => token.Length).Distinct().OrderDescending()];
        foreach (var token in ids.Keys)
            for (var length = 1; length < token.Length; length++)
                _prefixes.Add(token[..length]);
    }

    /// <summary>Finds the first token at or after <paramref name="position"/>.</summary>
    /// <param name="text">Raw text.</param>
    /// <param name="position">Where to look from; then where the token starts, or,
    /// without one, where the text ends that certainly holds none.</param>
    /// <param name="length">Length of the token.</param>
    /// <param name="id">Its id.</param>
    /// <param name="final">Whether no more text follows; if some may, the start of a possible token at the end is left undecided.</param>
    /// <returns>Whether there is one.</returns>
    public bool TryFind(ReadOnlySpan<char> text, ref int position, out int length, out int id, bool final)
    {
        var ids = _ids.GetAlternateLookup<ReadOnlySpan<char>>();
        for (; position < text.Length; position++)
        {
            var next = text[position..].IndexOfAny(_starts);
            if (next < 0)
                break;
            position += next;
            var rest = text[position..];
            if (!final && rest.Length < _lengths[0] && _prefixes.GetAlternateLookup<ReadOnlySpan<char>>().Contains(rest))
            {
                (length, id) = (0, 0);
                return false;
            }
            foreach (var candidate in _lengths)
                if (candidate <= rest.Length && ids.TryGetValue(rest[..candidate], out id))
                {
                    length = candidate;
                    return true;
                }
        }
        position = text.Length;
        (length, id) = (0, 0);
        return false;
    }
}
