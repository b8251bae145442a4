using System.Text;

namespace LightTts.Text;

/// <summary>What the reference does to Chinese text where no text front end is installed.</summary>
/// <remarks>Reference: CosyVoiceFrontEnd.text_normalize and utils/frontend_utils.py. Its rules for other
/// text (spelling runs of digits, splitting) are not used: see <see cref="TextFrontEnd"/>.</remarks>
internal static class ReferenceNormalizer
{
    /// <summary>Whether the reference takes the text for Chinese: it has a character of U+4E00 to U+9FFF.</summary>
    public static bool IsChinese(ReadOnlySpan<char> text) => text.ContainsAnyInRange('\u4e00', '\u9fff');

    /// <summary>The reference's clean-up of Chinese text, but for its end, which only a whole sentence has: see <see cref="CloseChinese"/>.</summary>
    public static string CleanChinese(string text) =>
        new StringBuilder(ReplaceBlanks(text.Replace("\n", "", StringComparison.Ordinal))).Replace("²", "平方").Replace("³", "立方").Replace('.',
        '。').Replace(" - ", "，")
            .Replace("（", "").Replace("）", "").Replace("【", "").Replace("】", "").Replace("`", "").Replace("——", " ").ToString();

    /// <summary>The reference's end of a Chinese text: a full stop instead of commas.</summary>
    public static string CloseChinese(string text)
    {
        var end = text.AsSpan().TrimEnd("，,、").Length;
        return end < text.Length && (text[^1] != ',' || (end > 0 && TextRuns.IsUnspaced(text[end - 1]))) ? text[..end] + "。" : text;
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
}
