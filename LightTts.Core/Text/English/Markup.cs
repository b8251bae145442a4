using System.Text.RegularExpressions;

namespace LightTts.Text.English;

/// <summary>Takes out what only a page shows: entities and tags of HTML, links, headings, list marks and emphasis of Markdown.</summary>
internal static partial class Markup
{
    /// <summary>The text without them.</summary>
    public static string Remove(string text)
    {
        if (text.Contains("](", StringComparison.Ordinal))
            text = Link().Replace(text, "$1");
        if (text.Contains('<'))
            text = Tag().Replace(Bracketed().Replace(text, ", $1 "), "");
        if (text.Contains('&') && text.Contains(';'))
            text = Entity().Replace(text, match => Decode(match));
        if (text.Contains('❤') || text.Contains('♥'))
            text = Heart().Replace(text, " love ");
        text = LineStart().Replace(text, "$1");
        if (text.AsSpan().ContainsAny("*_`"))
            text = Emphasis().Replace(text, "");
        return text.Replace('“', '"').Replace('”', '"').Replace('„', '"').Replace('«', '"').Replace('»', '"');
    }

    private static string Decode(Match match) => match.Groups[1].Value switch
    {
        "amp" => "&", "lt" => "<", "gt" => ">", "quot" => "\"", "apos" or "rsquo" or "lsquo" => "'", "nbsp" or "ensp" or "emsp" or "thinsp" =>
            " ", "mdash" => "—", "ndash" => "–", "hellip" => "...",
        "ldquo" or "rdquo" => "\"", "copy" => "©", "reg" => "®", "trade" => "™", "deg" => "°", "euro" => "€", "pound" => "£", "yen" => "¥", "cent" =>
        "¢", "times" => "×", "divide" => "÷", "plusmn" => "±",
        "frac12" => "½", "frac14" => "¼", "frac34" => "¾", "micro" => "µ", "sect" => "§", "bull" => " ", "le" => "≤", "ge" => "≥", "ne" =>
        "≠", "rarr" => "→", "infin" => "∞", "eacute" => "é",
        ['#', 'x' or 'X', .. var hex] when int.TryParse(hex, System.Globalization.NumberStyles.AllowHexSpecifier, null, out var code) =>
        Character(code),
        ['#', .. var digits] when int.TryParse(digits, out var code) => Character(code),
        _ => match.Value,
    };

    private static string Character(int code) => code is >= 32 and < 0xD800 ? ((char)code).ToString() : " ";

    [GeneratedRegex(@"&(#?[A-Za-z0-9]{2,8});", RegexOptions.CultureInvariant)]
    private static partial Regex Entity();

    [GeneratedRegex(@"!?\[([^\[\]]{0,200})\]\([^()\s]{0,400}(?: ""[^""]{0,80}"")?\)", RegexOptions.CultureInvariant)]
    private static partial Regex Link();

    [GeneratedRegex(@"</?[A-Za-z][A-Za-z0-9]{0,11}(?: [^<>]{0,200})?/?>", RegexOptions.CultureInvariant)]
    private static partial Regex Tag();

    [GeneratedRegex(@" ?<((?:[\w.+-]{1,64}@|https?://)[^<>\s]{1,300})>", RegexOptions.CultureInvariant)]
    private static partial Regex Bracketed();

    [GeneratedRegex(@"(?<=\b(?:I|[Ww]e|[Yy]ou|[Tt]hey)) ?[❤♥]️? ?(?=\w)", RegexOptions.CultureInvariant)]
    private static partial Regex Heart();

    [GeneratedRegex(@"^(\s*)(?:#{1,6} |[-*•·‣▪>+] )", RegexOptions.CultureInvariant)]
    private static partial Regex LineStart();

    [GeneratedRegex(@"\*\*(?!\d)|(?<![\w*])\*(?=\w)|(?<=[\w.!?,])\*(?![\w*])|`+|(?<!\w)_{1,2}(?=\w[^_]{0,80}_{1,2}(?!\w))|(?<=\w)_{1,2}(?!\w)|~~",
        RegexOptions.CultureInvariant)]
    private static partial Regex Emphasis();
}
