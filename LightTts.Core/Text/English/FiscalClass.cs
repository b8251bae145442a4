using System.Text.RegularExpressions;

namespace LightTts.Text.English;

/// <summary>Quarters, halves and years of account: Q3 2022, Q1-Q3, FY2024, FY24, 4Q23, 1H24.</summary>
internal sealed partial class FiscalClass : SemioticClass
{
    public override int Read(Reading r, int start)
    {
        if (!r.Starts(start) || r.At(start - 1) is '.' or ',' or '_' or '/' or '$' or '#')
            return 0;
        if (char.IsAsciiDigit(r.At(start)))
            return First().Match(r.Text, start) is { Success: true } first ? ReadFirst(r, first) : 0;
        if (r.At(start) is 'F' or 'C')
            return Year().Match(r.Text, start) is { Success: true } year ? ReadYear(r, year) : 0;
        if (r.At(start) is not ('Q' or 'H') || Quarter().Match(r.Text, start) is not { Success: true } quarter)
            return 0;
        var (until, of) = (quarter.Groups["until"], quarter.Groups["year"]);
        if (!until.Success && !of.Success)
            return 0;
        var name = quarter.Value[0];
        r.Say($"{name} {r.Cardinal(quarter.Groups["from"].ValueSpan)}");
        if (until.Success)
            r.Say($"{(quarter.Groups["slash"].Success ? "" : "to ")}{name} {r.Cardinal(until.ValueSpan)}");
        if (of.Success)
            r.Say(Named(quarter.Groups["kind"]) + Spoken(r, of.ValueSpan));
        return start + quarter.Length;
    }

    private static int ReadYear(Reading r, Match match)
    {
        r.Say(Named(match.Groups["kind"]) + Spoken(r, match.Groups["year"].ValueSpan));
        if (match.Groups["until"] is { Success: true } until)
            r.Say("to " + Spoken(r, until.ValueSpan));
        return match.Index + match.Length;
    }

    private static int ReadFirst(Reading r, Match match)
    {
        var year = match.Groups["year"].Value;
        r.Say($"{r.Ordinal(match.Groups["from"].ValueSpan)} {(match.Groups["part"].Value == "Q" ? "quarter" : "half")} "
            + r.Year(year.Length == 2 ? "20" + year : year));
        return match.Index + match.Length;
    }

    private static string Named(Group kind) => kind.Value switch { "FY" => "fiscal year ", "CY" => "calendar year ", _ => "" };

    private static string Spoken(Reading r, ReadOnlySpan<char> year) =>
        year.Length == 4 ? r.Year(year) : year[0] == '0' ? "oh " + r.Cardinal(year) : r.Cardinal(year);

    [GeneratedRegex(@"\G(?<kind>FY|CY) ?'?(?<year>(?:19|20)\d\d|\d\d)(?: ?[-–/] ?(?:FY|CY)?(?<until>(?:19|20)\d\d|\d\d))?(?![\w%]|[.,:/-]\d)",
        RegexOptions.CultureInvariant)]
    private static partial Regex Year();

    [GeneratedRegex(@"\G(?:Q(?<from>[1-4])(?: ?(?:[-–]|(?<slash>/)) ?Q?(?<until>[1-4])(?![\d.]))?|H(?<from>[12]))"
        + @"(?:(?: ?(?<kind>FY|CY)| ) ?(?<year>(?:19|20)\d\d)| ?(?<kind>FY|CY)(?<year>\d\d)| ?'(?<year>\d\d))?(?![\w%]|[.,:/-]\d)",
        RegexOptions.CultureInvariant)]
    private static partial Regex Quarter();

    [GeneratedRegex(@"\G(?:(?<from>[1-4])(?<part>Q)|(?<from>[12])(?<part>H)) ?(?:FY)?(?<year>20\d\d|(?<=[QHY])\d\d)(?![\w%]|[.,:/-]\d)",
        RegexOptions.CultureInvariant)]
    private static partial Regex First();
}
