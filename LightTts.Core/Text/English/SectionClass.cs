using System.Text.RegularExpressions;

namespace LightTts.Text.English;

/// <summary>Sections and paragraphs of laws by their sign: § 78l, § 230(c), §§ 5-7. A letter there is no unit.</summary>
internal sealed partial class SectionClass : SemioticClass
{
    public override int Read(Reading r, int start)
    {
        if (r.At(start) is not ('§' or '¶') || Section().Match(r.Text, start) is not { Success: true } match)
            return 0;
        var sign = match.Groups["sign"].ValueSpan;
        r.Say($"{(sign[0] == '§' ? "section" : "paragraph")}{(sign.Length > 1 ? "s" : "")}");
        Number(r, match.Groups["number"].Value, match.Groups["letter"].Value);
        foreach (Capture part in match.Groups["part"].Captures)
            r.Say(char.IsAsciiDigit(part.Value[0]) ? r.Cardinal(part.ValueSpan) : part.Value);
        if (match.Groups["until"] is { Success: true } until)
        {
            r.Say("to");
            Number(r, until.Value, match.Groups["last"].Value);
        }
        return start + match.Length;
    }

    private static void Number(Reading r, string number, string letter)
    {
        // "8.12" as other numbers are, "1.2.3" and a four-figure section as lawyers have it.
        var parts = number.Split('.');
        r.Say(parts.Length == 2 ? r.Number(number) : string.Join(" point ", parts.Select(part =>
            part.Length == 4 ? EnglishNumbers.Pairs(part) : r.Number(part))));
        r.Say(letter);
    }

    [GeneratedRegex(@"\G(?<sign>§§?|¶¶?) ?(?<number>\d{1,5}(?:\.\d{1,4}){0,3})(?<letter>[a-z]{1,2}|[A-Z])?(?:\((?<part>[A-Za-z]{1,4}|\d{1,3})\)){0,4}"
        + @"(?: ?[-–] ?(?<until>\d{1,5}(?:\.\d{1,4}){0,3})(?<last>[a-z])?)?(?![\p{L}\d])", RegexOptions.CultureInvariant)]
    private static partial Regex Section();
}
