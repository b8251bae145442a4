using System.Globalization;
using System.Text;

namespace LightTts.Text;

/// <summary>What the reference does to text where no text front end is installed.</summary>
/// <remarks>Reference: CosyVoiceFrontEnd.text_normalize and utils/frontend_utils.py.</remarks>
internal static class ReferenceNormalizer
{
    /// <summary>Whether the reference takes the text for Chinese: it has a character of U+4E00 to U+9FFF.</summary>
    public static bool IsChinese(ReadOnlySpan<char> text) => text.ContainsAnyInRange('\u4e00', '\u9fff');

    /// <summary>Whether the text holds tokens that switch normalisation and splitting off.</summary>
    public static bool IsVerbatim(string text) => text.Contains("<|", StringComparison.Ordinal) && text.Contains("|>", StringComparison.Ordinal);

    /// <summary>The text as the reference normalises it, not yet split.</summary>
    public static string Normalize(string text)
    {
        if (IsVerbatim(text))
            return text;
        text = text.Trim();
        return IsChinese(text) ? NormalizeChinese(text) : SpellOutNumbers(text);
    }

    /// <summary>Text split and without pieces that are only punctuation: text_normalize(split=True).</summary>
    /// <param name="text">Raw text.</param>
    /// <param name="tokenCount">How many tokens a text has.</param>
    public static List<string> NormalizeAndSplit(string text, Func<string, int> tokenCount)
    {
        if (text.Length == 0 || IsVerbatim(text))
            return [text];
        var chinese = IsChinese(text);
        return [.. SentenceSplitter.Split(Normalize(text), chinese, chinese ? SentenceSplitter.CountCharacters : tokenCount)
            .Select(piece => piece.Text).Where(piece => !IsOnlyPunctuation(piece))];
    }

    /// <summary>The reference's clean-up of Chinese text.</summary>
    public static string NormalizeChinese(string text)
    {
        text = ReplaceBlanks(text.Replace("\n", "", StringComparison.Ordinal));
        var clean = new StringBuilder(text).Replace("²", "平方").Replace("³", "立方").Replace('.', '。').Replace(" - ", "，")
            .Replace("（", "").Replace("）", "").Replace("【", "").Replace("】", "").Replace("`", "").Replace("——", " ").ToString();
        var end = clean.AsSpan().TrimEnd("，,、").Length;
        return end < clean.Length ? clean[..end] + "。" : clean;
    }

    /// <summary>Each run of digits in words, whatever stands around it.</summary>
    public static string SpellOutNumbers(string text)
    {
        var words = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length;)
        {
            var start = i;
            while (i < text.Length && char.IsDigit(text[i]))
                i++;
            if (i == start)
                words.Append(text[i++]);
            else
                words.Append(EnglishNumbers.Cardinal(string.Create(i - start, (text, start), static (digits, source) =>
                {
                    for (var k = 0; k < digits.Length; k++)
                        digits[k] = (char)('0' + (int)char.GetNumericValue(source.text[source.start + k]));
                }), comma: ","));
        }
        return words.ToString();
    }

    /// <summary>Keeps a blank only between two ASCII characters that are no blanks.</summary>
    public static string ReplaceBlanks(string text)
    {
        var kept = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
            if (text[i] != ' ' || (IsInk(text[(i + 1) % text.Length]) && IsInk(text[i == 0 ? ^1 : i - 1])))
                kept.Append(text[i]);
        return kept.ToString();

        static bool IsInk(char c) => char.IsAscii(c) && c != ' ';
    }

    /// <summary>Whether the text has nothing but punctuation and symbols, or nothing at all.</summary>
    public static bool IsOnlyPunctuation(string text)
    {
        foreach (var rune in text.EnumerateRunes())
            if (Rune.GetUnicodeCategory(rune) is < UnicodeCategory.ConnectorPunctuation or > UnicodeCategory.OtherSymbol)
                return false;
        return true;
    }
}
