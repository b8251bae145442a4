using System.Text.RegularExpressions;

namespace LightTts.Text.English;

/// <summary>Ordinals in figures: 21st, 1,000th; ranges of them.</summary>
internal sealed partial class OrdinalClass : SemioticClass
{
    public override int Read(Reading r, int start)
    {
        if (!r.Starts(start) || r.At(start - 1) == '.' || Ordinal().Match(r.Text, start) is not { Success: true } match)
            return 0;
        // "14st": a weight.
        if (r.British && match.Value.EndsWith("st", StringComparison.Ordinal) && match.Groups[1].Value[^1] != '1')
            return 0;
        var words = r.Ordinal(Numerals.Plain(match.Groups[1].Value));
        if (match.Groups[2].Success)
            words += " to " + r.Ordinal(Numerals.Plain(match.Groups[2].Value));
        r.Say(words);
        return start + match.Length;
    }

    [GeneratedRegex(@"\G(\d{1,3}(?:,\d{3}){1,4}|\d{1,15})(?:st|nd|rd|th|ST|ND|RD|TH|ˢᵗ|ⁿᵈ|ʳᵈ|ᵗʰ)(?: ?[-–] ?(\d{1,6})(?:st|nd|rd|th))?(?![\p{L}\d])",
        RegexOptions.CultureInvariant)]
    private static partial Regex Ordinal();
}
