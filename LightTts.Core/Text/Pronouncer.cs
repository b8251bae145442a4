using System.Text;
using System.Text.RegularExpressions;

namespace LightTts.Text;

/// <summary>Puts a user's pronunciations into text, out of reach of the rules that write the rest as it is spoken.</summary>
/// <remarks>
/// A word that has an entry is handed to the rules as a made-up word of rare letters, with
/// its first letter's case: "Dr. Nguyen" is then still a doctor in front of a name. Where
/// the rules do not give every such word back once and in order, or the text has those letters itself, the text is cut at the words instead.
/// </remarks>
internal static partial class Pronouncer
{
    private const char Capital = '\ua726';
    private const char Small = '\ua727';
    private const char Zero = '\ua729';
    private const char One = '\ua72b';

    /// <summary>Puts the pronunciations in and the rest through the rules.</summary>
    /// <param name="text">The text.</param>
    /// <param name="dictionaries">Pronunciations; the first with the longest entry counts.</param>
    /// <param name="rules">Writes text as it is spoken.</param>
    public static string Speak(string text, IReadOnlyList<PronunciationDictionary> dictionaries, Func<string, string> rules)
    {
        if (dictionaries.All(static dictionary => dictionary.Count == 0))
            return rules(text);
        text = UnicodeComposition.Normalize(text);
        var found = Find(text, dictionaries);
        if (found.Count == 0)
            return rules(text);
        return (text.AsSpan().IndexOfAny([Capital, Small, Zero, One]) < 0 ? InPlace(text, found, rules) : null) ?? InParts(text, found, rules);
    }

    private static string? InPlace(string text, List<Match> found, Func<string, string> rules)
    {
        var masked = new StringBuilder(text.Length);
        var start = 0;
        for (var i = 0; i < found.Count; i++)
        {
            var (at, length, _) = found[i];
            // In Chinese the rules look at the characters themselves.
            if (Scripts.IsHan(text[at]))
                return null;
            masked.Append(text, start, at - start).Append(char.IsLower(text[at]) ? Small : Capital);
            for (var rest = i + 1; rest > 0; rest >>= 1)
                masked.Append((rest & 1) == 0 ? Zero : One);
            start = at + length;
        }
        var spoken = rules(masked.Append(text, start, text.Length - start).ToString());
        var next = 0;
        spoken = Mask().Replace(spoken, match =>
        {
            var number = 0;
            for (var i = match.Length - 1; i > 0; i--)
                number = (number << 1) | (match.ValueSpan[i] == One ? 1 : 0);
            next = next == number - 1 && number <= found.Count ? number : int.MinValue;
            return next < 0 ? "" : found[number - 1].Spelling;
        });
        return next == found.Count ? spoken : null;
    }

    private static string InParts(string text, List<Match> found, Func<string, string> rules)
    {
        var spoken = new StringBuilder(text.Length);
        var start = 0;
        foreach (var (at, length, spelling) in found)
        {
            if (at > start)
                spoken.Append(rules(text[start..at]));
            spoken.Append(spelling);
            start = at + length;
        }
        return start < text.Length ? spoken.Append(rules(text[start..])).ToString() : spoken.ToString();
    }

    private static List<Match> Find(string text, IReadOnlyList<PronunciationDictionary> dictionaries)
    {
        List<Match> found = [];
        // Entries have plain blanks; a line break between two words is one, too.
        var plain = string.Create(text.Length, text, static (span, text) =>
        {
            for (var i = 0; i < span.Length; i++)
                span[i] = char.IsWhiteSpace(text[i]) ? ' ' : text[i];
        });
        for (var i = 0; i < plain.Length; i++)
        {
            if (plain[i] == ' ' || !IsEdge(plain, i))
                continue;
            var longest = 0;
            var spelling = "";
            var start = i;
            foreach (var dictionary in dictionaries)
                if (dictionary.Find(plain.AsSpan(i), length => IsEdge(plain, start + length), out var candidate) is var length && length > longest)
                    (longest, spelling) = (length, candidate);
            if (longest == 0)
                continue;
            found.Add(new Match(i, longest, spelling));
            i += longest - 1;
        }
        return found;
    }

    /// <summary>Whether a word may begin or end here: not within letters and digits,
    /// except between Chinese characters, which nothing separates.</summary>
    private static bool IsEdge(string text, int index)
    {
        if (index == 0 || index == text.Length)
            return true;
        char before = text[index - 1], after = text[index];
        if (char.IsLowSurrogate(after) && char.IsHighSurrogate(before))
            return false;
        return !IsWord(before) || !IsWord(after) || IsUnspaced(before) || IsUnspaced(after);
    }

    private static bool IsWord(char c) => char.IsLetterOrDigit(c) || char.IsSurrogate(c)
        || char.GetUnicodeCategory(c) is System.Globalization.UnicodeCategory.NonSpacingMark
        or System.Globalization.UnicodeCategory.SpacingCombiningMark;

    private static bool IsUnspaced(char c) => Scripts.IsHan(c) || c is >= '\u3041' and <= '\u30fa';

    private readonly record struct Match(int At, int Length, string Spelling);

    [GeneratedRegex("[\ua726\ua727][\ua729\ua72b]{1,24}")]
    private static partial Regex Mask();
}
