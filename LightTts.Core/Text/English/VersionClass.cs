using System.Collections.Frozen;
using System.Text.RegularExpressions;

namespace LightTts.Text.English;

/// <summary>Versions and other numbers with several points: 2.10.3, v2, 1.0.0-beta.2, Python 3.10.</summary>
internal sealed partial class VersionClass : SemioticClass
{
    private static readonly FrozenSet<string> s_products = Table.Words("""
        Python version Version release Release iOS macOS Ubuntu Chrome Firefox Node PHP Java NET Windows Android kernel Kernel Linux CUDA Debian
        Fedora Go Ruby Rust Swift React Angular Django Bluetooth USB HTTP TLS Postgres MySQL
        """);

    public override int Read(Reading r, int start)
    {
        if (!r.Starts(start) || r.At(start - 1) is '.' or ',' or '_' or '$' or '£' or '€')
            return 0;
        var match = Version().Match(r.Text, start);
        if (!match.Success)
            return 0;
        var (letter, numbers, tail) = (match.Groups[1].Value, match.Groups[2].Value.Split('.'), match.Groups[3].Value);
        if (letter.Length == 0 && numbers.Length < 3 && !(numbers.Length == 2 && s_products.Has(r.WordBefore(start)) && r.At(start - 1) == ' ')
            && tail.Length == 0)
            return 0;
        // "V8" is an engine.
        if (letter.Length > 0 && letter[0] == 'V' && numbers.Length == 1)
            return 0;
        if (letter.Length == 0 && tail.Length > 0 && numbers.Length < 2)
            return 0;
        // Four numbers of a network address are spelt.
        var address = letter.Length == 0 && numbers.Length == 4 && Array.TrueForAll(numbers, n => n.Length <= 3 && int.Parse(n) < 256)
            && r.WordBefore(start) is not ("version" or "Version");
        var point = address ? " dot " : " point ";
        r.Say((letter.Length > 0 ? "version " : "") + string.Join(point, numbers.Select(n => address ? EnglishNumbers.Digits(n) : r.Number(n))));
        if (match.Groups[4].Success)
            r.Say((match.Groups[4].Value[0] == ':' ? "colon " : "slash ")
            + (match.Groups[4].Length == 5 ? EnglishNumbers.Pairs(match.Groups[4].ValueSpan[1..]) : r.Cardinal(match.Groups[4].ValueSpan[1..])));
        foreach (var part in tail.Split(['-', '+'], StringSplitOptions.RemoveEmptyEntries))
            r.Say(ElectronicClass.Spell(r, part, "point"));
        return start + match.Length;
    }

    [GeneratedRegex(@"\G([vV]\.?)?(\d{1,9}(?:\.\d{1,9}){0,6})((?:-(?:alpha|beta|rc|preview|pre|dev|snapshot|SNAPSHOT|RC|nightly|canary"
        + @"|next)(?:[.-]?[A-Za-z\d]{1,12}){0,3})?(?:\+[A-Za-z\d.]{1,20})?)?([:/]\d{1,5})?(?![\p{L}\d/]|-\d|[.:]\d)", RegexOptions.CultureInvariant)]
    private static partial Regex Version();
}
