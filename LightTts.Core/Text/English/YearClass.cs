using System.Text.RegularExpressions;

namespace LightTts.Text.English;

/// <summary>Years, ranges of years, decades.</summary>
internal sealed partial class YearClass : SemioticClass
{
    public override int Read(Reading r, int start)
    {
        if (!r.Starts(start) || r.At(start - 1) is '.' or ',' or '$' or '£' or '€' or '/' or ':')
            return 0;
        // "100s of people".
        if (Many().Match(r.Text, start) is { Success: true } many)
        {
            r.Say(many.Value.Count(char.IsAsciiDigit) switch { 2 => "tens", 3 => "hundreds", 4 => "thousands", _ => "tens of thousands" });
            return start + many.Length;
        }
        if (Decade().Match(r.Text, start) is { Success: true } decade)
        {
            var words = EnglishNumbers.Plural(decade.Groups[1].Length == 4 ? r.Year(decade.Groups[1].ValueSpan)
                : r.Cardinal(decade.Groups[1].ValueSpan));
            if (decade.Groups[2] is { Success: true } until)
                words += " to " + EnglishNumbers.Plural(until.Length == 4 ? r.Year(until.ValueSpan) : r.Cardinal(until.ValueSpan));
            r.Say(words);
            return start + decade.Length;
        }
        if (Short().Match(r.Text, start) is { Success: true } brief
            && (brief.ValueSpan[1] == '0' || brief.Groups[2].Success || IsBeforeShort(r.WordBefore(start))))
        {
            r.Say(brief.Groups[1].Value[0] == '0' ? "oh " + r.Cardinal(brief.Groups[1].ValueSpan) : r.Cardinal(brief.Groups[1].ValueSpan));
            if (brief.Groups[2] is { Success: true } later)
                r.Say("to " + (later.Value[0] == '0' ? "oh " : "") + r.Cardinal(later.ValueSpan));
            return start + brief.Length;
        }
        if (r.At(start) == '\'')
            return 0;
        if (Range().Match(r.Text, start) is { Success: true } range && UnitLexicon.Units.Find(r.WordAfter(start + range.Length)) is null
            && r.At(start + range.Length) is not ('%' or '°'))
        {
            var first = range.Groups[1].ValueSpan;
            var last = range.Groups[2].ValueSpan;
            if (last.Length == 2 ? int.Parse(last) > int.Parse(first[2..]) : int.Parse(last) > int.Parse(first))
            {
                r.Say($"{r.Year(first)} to {(last.Length == 4 ? r.Year(last) : last[0] == '0' ? "oh " + r.Cardinal(last) : r.Cardinal(last))}");
                return start + range.Length;
            }
        }
        return 0;
    }

    /// <summary>Whether a number of four figures is a year, as its neighbours have it.</summary>
    public static bool IsYear(Reading r, int start, int end, string number)
    {
        if (number.Length != 4 || end - start != 4 || number[0] is not ('1' or '2') || number.Contains('.')
            || char.IsLetter(r.At(start - 1)))
            return false;
        var value = int.Parse(number);
        if (value is < 1000 or > 2099 || r.At(end) is '%' or '°' or '/' or '$' or '€' or '£' || (r.At(end) == ':' && char.IsAsciiDigit(r.At(end + 1)))
            || r.At(start - 1) is '#' or '.' or ',' or '+' or '/' or '$')
            return false;
        if (r.At(start - 1) == '-' && char.IsLetterOrDigit(r.At(start - 2)) && value < 1900)
            return false;
        var next = r.At(end) is ' ' or '-' ? r.WordAfter(end) : default;
        if (next is "AD" or "BC" or "BCE" or "CE" or "A")
            return true;
        var sign = r.At(end) == ' ' ? r.At(end + 1) : '\0';
        if (sign is '%' or '°' or '+' or '=' or '×' or '÷' or '*' || r.At(end) is '+' or '*' or '=' || UnitLexicon.Units.Find(next) is not null)
            return false;
        if (next.Length > 2 && char.IsLower(next[0]) && CurrencyLexicon.Scales.Find(next) is not null)
            return false;
        if (next is "dollars" or "euros" or "pounds" or "people" or "men" or "women" or "children" or "feet" or "percent" or "miles" or "words")
            return false;
        var before = r.WordBefore(start, out var at);
        if (DateLexicon.BeforeYear.Has(before) && (r.At(at + before.Length) is ' ' or '-' || before is "ca" or "c"))
            return !(Counts(next) && value is < 1500);
        var previous = r.At(start - 1) == ' ' ? r.At(start - 2) : '\0';
        if (value < 1900 || previous is '+' or '=' or '×' or '$' or '€' or '£' or '*'
            || before is "number" or "Number" or "about" or "over" or "nearly" or "than" or "exactly" or "approximately" or "some")
            return value >= 1700 && value <= 2099 && r.At(start - 1) == '(' && r.At(end) is ')' or '-' or '–';
        return !Counts(next);
    }

    private static bool IsBeforeShort(ReadOnlySpan<char> word) =>
        word is "of" or "in" or "since" or "from" or "In" or "Since" or "and" or "to" or "by"
        || (DateLexicon.BeforeYear.Has(word) && word is not ("class" or "around" or "by")) || DateLexicon.MonthNames.Find(word) is not null;

    /// <summary>A plural: the number counts.</summary>
    private static bool Counts(ReadOnlySpan<char> word) =>
        word.Length > 3 && char.IsLower(word[0]) && word[^1] == 's' && word[^2] != 's'
        && word is not ("was" or "has" or "its" or "this" or "does" or "always" or "perhaps" or "towards" or "sees" or "marks" or "makes" or "saw"
        or "brings" or "comes" or "seems" or "remains" or "starts" or "ends" or "begins" or "looks" or "promises");

    [GeneratedRegex(@"\G(?:10|100|1,?000|10,?000)s(?= of )", RegexOptions.CultureInvariant)]
    private static partial Regex Many();

    [GeneratedRegex(@"\G'?((?:1[0-9]|20)\d0|[2-9]0)'?s(?:(?: ?[-–] ?)'?((?:1[0-9]|20)?\d0)'?s)?(?![\p{L}\d])", RegexOptions.CultureInvariant)]
    private static partial Regex Decade();

    [GeneratedRegex(@"\G'(\d{2})(?: ?[-–] ?'(\d{2}))?(?![\p{L}\d'.]\d|\p{L})", RegexOptions.CultureInvariant)]
    private static partial Regex Short();

    [GeneratedRegex(@"\G(1[0-9]\d\d|20\d\d) ?[-–—] ?(1[0-9]\d\d|20\d\d|\d\d)(?![\w-]|[.,/:]\d)", RegexOptions.CultureInvariant)]
    private static partial Regex Range();
}
