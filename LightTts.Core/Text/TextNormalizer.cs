using System.Text;
using System.Text.RegularExpressions;

namespace LightTts.Text;

/// <summary>Writes text as it is spoken, in English or, where it has Chinese characters, in Chinese.</summary>
/// <remarks>Thread-safe. Any text is accepted; the result may be empty. Time is linear: every pattern's repetitions are bounded.</remarks>
internal static partial class TextNormalizer
{
    /// <summary>Normalises a sentence or more. Special tokens such as <c>[laughter]</c> and <c>[AA1]</c> stay as they are.</summary>
    public static string Normalize(string text)
    {
        if (ReferenceNormalizer.IsVerbatim(text))
            return text;
        var chinese = ReferenceNormalizer.IsChinese(text);
        var spoken = new StringBuilder(text.Length + (text.Length / 4));
        var start = 0;
        foreach (var token in Tag().EnumerateMatches(text))
        {
            var tag = text.AsSpan(token.Index, token.Length);
            if (!s_special.Contains(tag))
                continue;
            Append(text[start..token.Index]);
            spoken.Append(tag);
            start = token.Index + token.Length;
        }
        Append(text[start..]);
        return spoken.ToString().Trim();

        void Append(string part)
        {
            if (part.Length > 0)
                spoken.Append(chinese ? ChineseNormalizer.Normalize(part) : EnglishNormalizer.Normalize(part));
        }
    }

    /// <summary>Whether there is anything to say: a letter or a number.</summary>
    public static bool IsSpeakable(string text)
    {
        foreach (var rune in text.EnumerateRunes())
            if (Rune.IsLetterOrDigit(rune) || Rune.IsNumber(rune))
                return true;
        return false;
    }

    private static readonly HashSet<string>.AlternateLookup<ReadOnlySpan<char>> s_special =
        SpecialTokens.Version3.ToHashSet(StringComparer.Ordinal).GetAlternateLookup<ReadOnlySpan<char>>();

    [GeneratedRegex(@"\[[^\[\]\s]{1,16}\]|</?[a-z]{1,12}>")]
    private static partial Regex Tag();
}
