using System.Collections.Frozen;
using System.Text;
using System.Text.RegularExpressions;

namespace LightTts.Text.English;

/// <summary>E-mail and web addresses, host and port, paths, file names, hashtags and handles.</summary>
internal sealed partial class ElectronicClass : SemioticClass
{
    private const string Extensions =
        "txt|pdf|docx?|xlsx?|pptx?|csv|tsv|jpe?g|png|gif|svg|bmp|webp|mp[34]|wav|flac|ogg|avi|mov|mkv|zip|tar|gz|tgz|rar|7z|exe|dll|so|deb|rpm|iso"
        + "|py|js|jsx|ts|tsx|cs|cpp|hpp|java|rb|go|rs|php|sh|bat|ps1|html?|css|json|ya?ml|xml|toml|ini|cfg"
        + "|conf|log|md|sql|db|bak|tmp|lock|epub|onnx|pt|bin|dat|ipynb";

    // Of the languages of programs.
    private static readonly FrozenSet<string> s_directives = Table.Words("include define ifdef ifndef endif pragma undef elif");

    public override int Read(Reading r, int start)
    {
        if (char.IsLetterOrDigit(r.At(start - 1)) || r.At(start - 1) is '_' or '@')
            return 0;
        switch (r.At(start))
        {
            case '#' when Hashtag().Match(r.Text, start) is { Success: true } tag:
                // "#A-1029" and "#FF8800".
                if (char.IsAsciiLetterUpper(r.At(start + 1)) && r.At(start + tag.Length) == '-' && char.IsAsciiDigit(r.At(start + tag.Length + 1)))
                {
                    r.Say("number");
                    return start + 1;
                }
                if (tag.Length == 7 && tag.Groups[1].ValueSpan.ContainsAnyInRange('0', '9') && tag.Groups[1].Value.All(char.IsAsciiHexDigit)
                    && !tag.Groups[1].Value.All(char.IsAsciiDigit))
                {
                    r.Say("hash " + string.Join(' ', tag.Groups[1].Value.Select(c => char.IsAsciiDigit(c) ? EnglishNumbers.Digits([c])
                        : char.ToUpperInvariant(c).ToString())));
                    return start + tag.Length;
                }
                // "#3", "#3B".
                r.Say(char.IsAsciiDigit(tag.Groups[1].Value[0]) && tag.Groups[1].ValueSpan[..^1].ContainsAnyExceptInRange('0', '9') is false
                    ? "number " + (tag.Groups[1].Value.All(char.IsAsciiDigit) ? r.Number(tag.Groups[1].Value) : Words(r, tag.Groups[1].Value))
                    : (s_directives.Has(tag.Groups[1].ValueSpan) ? "hash " : "hashtag ") + Words(r, tag.Groups[1].Value));
                return start + tag.Length;
            case '@' when Handle().Match(r.Text, start) is { Success: true } handle:
                r.Say("at " + Words(r, handle.Groups[1].Value));
                return start + handle.Length;
            case '/' or '~' or '.' when Path().Match(r.Text, start) is { Success: true } path && path.Value.AsSpan().ContainsAnyInRange('a', 'z'):
                return Address(r, start, path.Value);
            case '.' when r.At(start + 1) == 'N' && r.Span(start, Math.Min(start + 4, r.Text.Length)) is ".NET" && r.Ends(start + 4):
                r.Say("dot NET");
                return start + 4;
            case '.' when Suffix().Match(r.Text, start) is { Success: true } suffix:
                return Address(r, start, suffix.Value);
            case '#' or '@' or '/' or '~' or '.':
                return 0;
        }
        if (!Worthwhile(r, start))
            return 0;
        if (Email().Match(r.Text, start) is { Success: true } mail)
            return Address(r, start, mail.Value);
        if (Url().Match(r.Text, start) is { Success: true } url)
        {
            var end = url.Value.AsSpan().TrimEnd(".,;:!?)'\"]*_").Length;
            var address = url.Value[..end];
            var scheme = address.IndexOf("://", StringComparison.Ordinal);
            // A scheme is letters; further on, "://" is part of an address within the address.
            var own = scheme > 0 && address.AsSpan(0, scheme).IndexOfAnyExceptInRange('a', 'z') < 0;
            r.Say(Spell(r, address[(own ? scheme + 3 : 0)..].TrimEnd('/')));
            return start + end;
        }
        if (Windows().Match(r.Text, start) is { Success: true } windows)
            return Address(r, start, windows.Value);
        if (Port().Match(r.Text, start) is { Success: true } port)
        {
            r.Say($"{Spell(r, port.Groups[1].Value)} colon {PortNumber(port.Groups[2].Value)}");
            return start + port.Length;
        }
        if (File().Match(r.Text, start) is { Success: true } file)
            return Address(r, start, file.Value);
        return RelativePath().Match(r.Text, start) is { Success: true } relative ? Address(r, start, relative.Value) : 0;
    }

    /// <summary>An address in words: letters as they are, signs by name.</summary>
    public static string Spell(Reading r, string address, string point = "dot")
    {
        var words = new StringBuilder(address.Length * 2);
        for (var i = 0; i < address.Length;)
        {
            var end = i;
            if (char.IsAsciiDigit(address[i]))
            {
                while (end < address.Length && char.IsAsciiDigit(address[end]))
                    end++;
                var digits = address.AsSpan(i, end - i);
                Add(digits.Length == 1 || digits[0] == '0' || digits.Length > 4 ? EnglishNumbers.Digits(digits)
                    : digits.Length == 4 && digits[0] is '1' or '2' ? r.Year(digits) : r.Cardinal(digits));
            }
            else if (char.IsLetter(address[i]) || char.IsSurrogate(address[i]) || address[i] > 127)
            {
                while (end < address.Length && (char.IsLetter(address[end]) || char.IsSurrogate(address[end]) || address[end] > 127))
                    end++;
                Add(Part(address.AsSpan(i, end - i)));
            }
            else
            {
                // An escaped backslash is one.
                end += address[i] == '\\' && i + 1 < address.Length && address[i + 1] == '\\' ? 2 : 1;
                Add(address[i] switch
                {
                    '.' => point, '/' => "slash", '-' => "dash", '_' => "underscore", '@' => "at", ':' => "colon", '?' => "question mark", '=' =>
                        "equals", '&' => "and",
                    '#' => "hash", '%' => "percent", '+' => "plus", '~' => "tilde", '\\' => "backslash", '*' => "star", _ => "",
                });
            }
            i = end;
        }
        return words.ToString();

        void Add(string word) => words.Append(words.Length > 0 && word.Length > 0 ? " " : "").Append(word);

        static string Part(ReadOnlySpan<char> word) =>
            word is "www" ? "W W W" : word is "uk" or "py" or "yml" ? string.Join(' ', word.ToString().ToUpperInvariant().ToCharArray())
            : word.Length is > 1 and < 6 && System.Text.Ascii.IsValid(word) && !word.ContainsAny("aeiouyAEIOUY")
            ? string.Join(' ', word.ToString().ToUpperInvariant().ToCharArray()) : LettersClass.Spelling(word) ?? word.ToString();
    }

    private static string PortNumber(string digits) =>
        digits.Length == 4 && digits[2..] != "00"
        ? $"{EnglishNumbers.Cardinal(digits.AsSpan(0, 2))} {(digits[2] == '0' ? "oh " : "")}{EnglishNumbers.Cardinal(digits.AsSpan(2))}"
        : digits.Length == 4 ? EnglishNumbers.Pairs(digits) : digits.Length < 4 ? EnglishNumbers.Cardinal(digits, "", false)
        : EnglishNumbers.Digits(digits);

    private static string Words(Reading r, string name) =>
        string.Join(' ', Camel().Replace(name, " ").Replace('_', ' ').Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .Select(word => char.IsAsciiDigit(word[0]) ? word.Length == 4 ? r.Year(word) : r.Number(word) : LettersClass.Spelling(word) ?? word));

    private static int Address(Reading r, int start, string address)
    {
        var length = address.AsSpan().TrimEnd(".,;:!?)'\"]").Length;
        r.Say(Spell(r, address[..length]));
        return start + length;
    }

    /// <summary>Whether the run of characters has one of the signs of an address within.</summary>
    private static bool Worthwhile(Reading r, int start)
    {
        for (var i = start; i < Math.Min(r.Text.Length - 1, start + 80); i++)
        {
            var c = r.Text[i];
            if (c == ' ')
                return false;
            if (c is '@' or '\\' || (c is '.' or ':' or '/' && (char.IsLetterOrDigit(r.Text[i + 1]) || r.Text[i + 1] is '/' or '\\')))
                return true;
        }
        return false;
    }

    [GeneratedRegex(@"\G[A-Za-z0-9][A-Za-z0-9._%+-]{0,63}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,5}", RegexOptions.CultureInvariant)]
    private static partial Regex Email();

    [GeneratedRegex(@"\G(?:(?:https?|ftps?|file|ssh|wss?|git)://[^\s<>""]{1,300}|[Ww]ww\.[^\s<>""]{1,300}"
        + @"|[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,3}\.(?:com|org|net|edu|gov|mil|io|dev|ai|info|biz|app|tv|co\.uk|ac\.uk|org\.uk|gov\.uk|uk"
            + @"|de|fr|ca|au|eu|co|me|us|ly|gl|xyz|tech|online|shop|blog)(?![\w-])(?::\d{2,5})?(?:[/?#][^\s<>""]{0,300})?)",
            RegexOptions.CultureInvariant)]
    private static partial Regex Url();

    [GeneratedRegex(@"\G[A-Za-z]:(?:\\{1,2}|/(?=[A-Za-z]))[^\s<>""|?*,;]{0,200}", RegexOptions.CultureInvariant)]
    private static partial Regex Windows();

    [GeneratedRegex(@"\G(?:~/|\.{1,2}/|/(?=[A-Za-z.][\w.-]{0,100}/|"
        + @"(?:etc|usr|var|tmp|home|dev|opt|bin|root|mnt|proc|sys|lib)(?![\w-])))[\w./~+-]{0,200}",
        RegexOptions.CultureInvariant)]
    private static partial Regex Path();

    [GeneratedRegex(@"\G([A-Za-z][A-Za-z0-9-]{0,40}(?:\.[A-Za-z0-9-]{1,30}){0,4}):(\d{2,5})(?![\d:])(?<=localhost:\d{2,5}|\.[a-z]{1,30}:\d{2,5}"
        + @"|host:\d{4,5}|server:\d{4,5}|db:\d{4,5})", RegexOptions.CultureInvariant)]
    private static partial Regex Port();

    [GeneratedRegex(@"\G(?:[\w-]{1,60}(?:[./\\][\w-]{1,60}){0,8}\.(?:" + Extensions + @")(?![\w-]))", RegexOptions.CultureInvariant)]
    private static partial Regex File();

    [GeneratedRegex(@"\G(?:[a-z_][\w.-]{1,40}/){2,8}[\w.-]{0,60}", RegexOptions.CultureInvariant)]
    private static partial Regex RelativePath();

    [GeneratedRegex(@"\G\.(?:" + Extensions + @"|env|gitignore|bashrc|com|org|net|io)(?![\w-])", RegexOptions.CultureInvariant)]
    private static partial Regex Suffix();

    [GeneratedRegex(@"\G#([\p{L}\d_]{1,80})", RegexOptions.CultureInvariant)]
    private static partial Regex Hashtag();

    [GeneratedRegex(@"\G@(\p{L}[\p{L}\d_]{0,60})", RegexOptions.CultureInvariant)]
    private static partial Regex Handle();

    [GeneratedRegex(@"(?<=\p{Ll})(?=\p{Lu})|(?<=\p{Lu})(?=\p{Lu}\p{Ll})|(?<=\p{L})(?=\d)|(?<=\d)(?=\p{L})", RegexOptions.CultureInvariant)]
    private static partial Regex Camel();
}
