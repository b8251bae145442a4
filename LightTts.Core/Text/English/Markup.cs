using System.Collections.Frozen;
using System.Text.RegularExpressions;

namespace LightTts.Text.English;

/// <summary>Takes out what only a page shows: entities and tags of HTML, links, headings, list marks and emphasis of Markdown.</summary>
internal static partial class Markup
{
    private static readonly FrozenSet<string> s_html = Table.Words("""
        a abbr address article aside audio b base bdi bdo blockquote body br button canvas caption center cite code col data dd del details dfn dialog
        div dl dt em embed fieldset figcaption figure font footer form h1 h2 h3 h4 h5 h6 head header hr html i iframe img input ins kbd label legend
        li link main mark menu meta meter nav noscript object ol option output p param picture pre progress q rp rt ruby s samp script section select
        small source span strike strong style sub summary sup svg table tbody td template textarea tfoot th thead time title tr track tt u ul var
        video wbr
        """, StringComparer.OrdinalIgnoreCase);

    /// <summary>The text without them.</summary>
    public static string Remove(string text)
    {
        if (text.Contains("](", StringComparison.Ordinal))
            text = Link().Replace(text, "$1");
        if (text.Contains('<'))
            text = RemoveTags(Header().Replace(Bracketed().Replace(text, ", $1 "), " $1 "));
        if (text.Contains('&') && text.Contains(';'))
            text = Entity().Replace(text, match => Decode(match));
        if (text.Contains('❤') || text.Contains('♥'))
            text = Heart().Replace(text, " love ");
        if (text.AsSpan().ContainsAny(":;<"))
            text = Emoticon().Replace(Loves().Replace(text, " love "), "");
        text = LineStart().Replace(text, "$1");
        if (text.AsSpan().ContainsAny("*_`"))
            text = Emphasis().Replace(text, "");
        return text.Replace('“', '"').Replace('”', '"').Replace('„', '"').Replace('«', '"').Replace('»', '"');
    }

    /// <summary>Tags of HTML, closing tags and those that one closes or that have
    /// attributes; "&lt;stdio.h&gt;" and "&lt;vector&gt;" are no tags.</summary>
    private static string RemoveTags(string text)
    {
        HashSet<string>? closed = null;
        return Tag().Replace(text, match =>
        {
            var name = match.Groups["name"].Value;
            if (match.Groups["end"].Length > 0 || match.Groups["attribute"].Success || s_html.Contains(name))
                return "";
            closed ??= Closing().Matches(text).Select(end => end.Groups[1].Value).ToHashSet(StringComparer.OrdinalIgnoreCase);
            return closed.Contains(name) ? "" : $" {match.ValueSpan[1..^1]} ";
        });
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

    [GeneratedRegex(@"<(?<end>/?)(?<name>[A-Za-z][A-Za-z0-9]{0,11})(?: (?:(?<attribute>[^<>=]{1,40}=)|[^<>])[^<>]{0,200})?(?<end>/?)>",
        RegexOptions.CultureInvariant)]
    private static partial Regex Tag();

    [GeneratedRegex(@"</([A-Za-z][A-Za-z0-9]{0,11})>", RegexOptions.CultureInvariant)]
    private static partial Regex Closing();

    // "<stdio.h>", "<sys/types.h>", "<my-template>": a name in brackets.
    [GeneratedRegex(@"<([A-Za-z_][\w]{0,30}(?:[./+-][\w]{1,30}){1,4})>", RegexOptions.CultureInvariant)]
    private static partial Regex Header();

    [GeneratedRegex(@" ?<((?:[\w.+-]{1,64}@|https?://)[^<>\s]{1,300})>", RegexOptions.CultureInvariant)]
    private static partial Regex Bracketed();

    [GeneratedRegex(@"(?<=\b(?:I|[Ww]e|[Yy]ou|[Tt]hey)) ?[❤♥]️? ?(?=\w)", RegexOptions.CultureInvariant)]
    private static partial Regex Heart();

    [GeneratedRegex(@"(?<=\b(?:I|[Ww]e|[Yy]ou|[Tt]hey)) <3 ?(?=[A-Za-z])", RegexOptions.CultureInvariant)]
    private static partial Regex Loves();

    [GeneratedRegex(@"(?<=^|[\s.,!?])(?:[:;]['’]?-?[)(DPpOo/|](?=$|[\s.,!?])|<3(?=\s{0,8}$|[.,!?]))", RegexOptions.CultureInvariant)]
    private static partial Regex Emoticon();

    [GeneratedRegex(@"^(\s*)(?:#{1,6} |[-*•·‣▪>+] )", RegexOptions.CultureInvariant)]
    private static partial Regex LineStart();

    [GeneratedRegex(@"\*\*(?!\d)|(?<![\w*])\*(?=\w)|(?<=[\w.!?,])\*(?![\w*])|`+|(?<!\w)_{1,2}(?=\w[^_]{0,80}_{1,2}(?!\w))|(?<=\w)_{1,2}(?!\w)|~~",
        RegexOptions.CultureInvariant)]
    private static partial Regex Emphasis();
}
