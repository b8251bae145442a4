using System.Collections.Frozen;

namespace LightTts.Text.English;

/// <summary>A word list as text: entries separated by "|" or by line, key and value by "=".</summary>
internal static class Table
{
    /// <summary>Key and value.</summary>
    public static FrozenDictionary<string, string> Pairs(string table)
    {
        var pairs = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var entry in table.Split(['|', '\n'], StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            // A sign may itself have "=".
            var at = entry.LastIndexOf('=');
            pairs[entry[..at].Trim()] = entry[(at + 1)..].Trim();
        }
        return pairs.ToFrozenDictionary(StringComparer.Ordinal);
    }

    /// <summary>Words separated by blanks.</summary>
    public static FrozenSet<string> Words(string table, StringComparer? comparer = null) =>
        table.Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries).ToFrozenSet(comparer ?? StringComparer.Ordinal);

    /// <summary>Whether the list has the word.</summary>
    public static bool Has(this FrozenSet<string> words, ReadOnlySpan<char> word) => words.GetAlternateLookup<ReadOnlySpan<char>>().Contains(word);

    /// <summary>The value of a word; null: none.</summary>
    public static string? Find(this FrozenDictionary<string, string> pairs, ReadOnlySpan<char> word) =>
        pairs.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(word, out var value) ? value : null;
}
