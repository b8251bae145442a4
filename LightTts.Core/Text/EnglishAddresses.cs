using System.Text;
using System.Text.RegularExpressions;

namespace LightTts.Text;

/// <summary>E-mail and web addresses, hashtags, handles and telephone numbers, in English words.</summary>
internal static partial class EnglishAddresses
{
    /// <summary>Writes them out.</summary>
    public static string Expand(string text)
    {
        text = ExpandNames(text);
        return Phone().Replace(text, m => Digits(m.Value));
    }

    /// <summary>Writes out all but telephone numbers.</summary>
    public static string ExpandNames(string text)
    {
        if (text.Contains('.'))
        {
            text = Email().Replace(text, m => Spell(m.Value));
            text = Url().Replace(text, m =>
            {
                var end = m.Value.AsSpan().TrimEnd(".,;:!?)'\"]").Length;
                var address = m.Value[..end];
                address = address[(address.IndexOf("://", StringComparison.Ordinal) is var scheme and > 0 ? scheme + 3 : 0)..];
                return Spell(address.TrimEnd('/')) + m.Value[end..];
            });
        }
        if (text.Contains('#'))
            text = Hashtag().Replace(text, m => char.IsAsciiDigit(m.Groups[1].Value[0]) ? $"number {m.Groups[1].Value}" : $"hashtag {Words(m.Groups[1].Value)}");
        if (text.Contains('@'))
            text = Handle().Replace(text, m => $"at {Words(m.Groups[1].Value)}");
        return text;
    }

    private static string Digits(string number) =>
        (number[0] == '+' ? "plus " : "") + string.Join(", ", number.Split([' ', '-', '.', '(', ')', '+'], StringSplitOptions.RemoveEmptyEntries).Select(group => EnglishNumbers.Digits(group)));

    private static string Words(string name) => Camel().Replace(name, " ").Replace('_', ' ').Trim();

    private static string Spell(string address)
    {
        var words = new StringBuilder();
        for (var i = 0; i < address.Length; i++)
        {
            var c = address[i];
            if (char.IsLetter(c) || char.IsSurrogate(c))
                words.Append(c);
            else if (char.IsAsciiDigit(c))
                words.Append(' ').Append(EnglishNumbers.Digits([c])).Append(' ');
            else
                words.Append(' ').Append(c switch
                {
                    '.' => "dot", '/' => "slash", '-' => "dash", '_' => "underscore", '@' => "at", ':' => "colon", '?' => "question mark", '=' => "equals", '&' => "and",
                    '#' => "hash", '%' => "percent", '+' => "plus", '~' => "tilde", _ => "",
                }).Append(' ');
        }
        words.Replace("www", "W W W").Replace("  ", " ");
        return words.Replace("  ", " ").ToString().Trim();
    }

    [GeneratedRegex(@"(?<![\w.%+-])[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,5}")]
    private static partial Regex Email();

    [GeneratedRegex(@"(?<![\w@])(?:(?:https?|ftp)://[^\s<>""]{1,300}|www\.[^\s<>""]{1,300}|[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,3}\.(?:com|org|net|edu|gov|io|dev|ai|info|co\.uk)\b(?:[/?][^\s<>""]{0,300})?)")]
    private static partial Regex Url();

    [GeneratedRegex(@"(?<![\w&])#([\p{L}\d_]{1,80})")]
    private static partial Regex Hashtag();

    [GeneratedRegex(@"(?<![\w.])@(\p{L}[\p{L}\d_]{0,60})")]
    private static partial Regex Handle();

    [GeneratedRegex(@"(?<=\p{Ll})(?=\p{Lu})|(?<=\p{Lu})(?=\p{Lu}\p{Ll})|(?<=\p{L})(?=\d)|(?<=\d)(?=\p{L})")]
    private static partial Regex Camel();

    [GeneratedRegex(@"(?<![\w.+-])(?:(?:\+?\d{1,3}[ .-])?(?:\(\d{3}\) ?|\d{3}[ .-])\d{3}[ .-]\d{4}|\d{3}-\d{4}|\+\d{1,3}(?:[ -]?\d{2,5}){2,5})(?![\w-]|\.\d)")]
    private static partial Regex Phone();
}
