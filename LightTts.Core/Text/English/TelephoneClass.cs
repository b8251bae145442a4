using System.Text.RegularExpressions;

namespace LightTts.Text.English;

/// <summary>Telephone numbers, digit by digit in their groups.</summary>
internal sealed partial class TelephoneClass : SemioticClass
{
    public override int Read(Reading r, int start)
    {
        if (!r.Starts(start) || r.At(start - 1) is '.' or '-' or '/' or '$' or '£' or '€'
            || Number().Match(r.Text, start) is not { Success: true } match)
            return 0;
        // "(" may open a remark; a bare 555-1234 may be a range only where a range makes sense.
        r.Say((match.Value[0] == '+' ? "plus " : "")
            + string.Join(", ", match.Value.Split([' ', '-', '.', '(', ')', '+'], StringSplitOptions.RemoveEmptyEntries).Select(group =>
            char.IsLetter(group[0]) ? group : EnglishNumbers.Digits(group))));
        var end = start + match.Length;
        if (Extension().Match(r.Text, end) is not { Success: true } extension)
            return end;
        r.Spoken.Mark(',', touchesNext: false);
        r.Say("extension " + EnglishNumbers.Digits(extension.Groups[1].ValueSpan));
        return end + extension.Length;
    }

    [GeneratedRegex(@"\G,? ?(?:x|ext\.?|Ext\.?) ?(\d{1,6})(?![\w-]|[.,]\d)", RegexOptions.CultureInvariant)]
    private static partial Regex Extension();

    [GeneratedRegex(@"\G(?:(?:\+?\d{1,3}[ .-])?(?:\(\d{3}\)[ -]?|\d{3}[ .-])\d{3}[ .-]\d{4}|\d{3}-\d{4}|1-\d{3}-[A-Z]{3,8}"
        + @"|\+\d{1,3}(?:[ -]?\(?\d{1,5}\)?){2,5}|\(?0\d{2,4}\)? \d{3,4} \d{3,4}|0\d{4} \d{6}|0\d{2} \d{4} \d{4})(?![\w-]|[.,]\d)",
            RegexOptions.CultureInvariant)]
    private static partial Regex Number();
}
