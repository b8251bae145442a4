using System.Text.RegularExpressions;

namespace LightTts.Text;

/// <summary>Writes English text as it is read aloud: numbers, dates, times, money, units, abbreviations, addresses, signs.</summary>
/// <remarks>A sequence of rules, each of which leaves words where it found figures; what comes earlier wins. Blanks at the ends are kept as one blank.</remarks>
internal static partial class EnglishNormalizer
{
    /// <summary>Normalises a part of a text.</summary>
    public static string Normalize(string text)
    {
        text = TextCleaner.Clean(text).Replace('“', '"').Replace('”', '"').Replace('„', '"').Replace("«", "\"", StringComparison.Ordinal).Replace('»', '"');
        text = EnglishAddresses.Expand(text);
        text = EnglishAbbreviations.ExpandBeforeNumbers(text);
        text = EnglishDates.Expand(text);
        text = EnglishMeasures.Expand(text);
        text = ExpandNumbers(text);
        text = EnglishAbbreviations.Expand(text);
        return ReplaceSigns(text);
    }

    private static string ExpandNumbers(string text)
    {
        text = Negative().Replace(text, "minus ");
        text = NumberRange().Replace(text, "$1 to ");
        text = Version().Replace(text, m => string.Join(" point ", m.Value.Split('.').Select(part => EnglishNumbers.Number(part))));
        text = Ordinal().Replace(text, m => EnglishNumbers.Ordinal(m.Groups[1].Value.Replace(",", "", StringComparison.Ordinal)));
        // Letters and figures that touch are separate words: "MP3", "4x".
        text = LetterFigure().Replace(text, " ");
        return Number().Replace(text, m => EnglishNumbers.Number(m.Value));
    }

    private static string ReplaceSigns(string text)
    {
        text = Markup().Replace(text, "");
        text = Sign().Replace(text, m => $" {s_signs[m.Value]} ");
        text = Dash().Replace(text, ", ");
        text = OpenBracket().Replace(text, ", ");
        text = CloseBracket().Replace(text, ",");
        text = Unspoken().Replace(text, " ");
        text = Blanks().Replace(text, " ");
        text = BlankBeforeMark().Replace(text, "$1");
        return CommaBeforeMark().Replace(text, "$1");
    }

    private static readonly Dictionary<string, string> s_signs = new(StringComparer.Ordinal)
    {
        ["&"] = "and", ["+"] = "plus", ["="] = "equals", ["×"] = "times", ["÷"] = "divided by", ["±"] = "plus or minus", ["≈"] = "is about", ["<"] = "is less than",
        [">"] = "is greater than", ["≤"] = "is at most", ["≥"] = "is at least", ["≠"] = "is not equal to", ["<="] = "is at most", [">="] = "is at least",
        ["!="] = "is not equal to", ["√"] = "square root of", ["∞"] = "infinity", ["%"] = "percent", ["‰"] = "per mille", ["°"] = "degrees", ["@"] = "at", ["/"] = "slash",
        ["$"] = "dollars", ["€"] = "euros", ["£"] = "pounds", ["¥"] = "yen", ["²"] = "squared", ["³"] = "cubed", ["©"] = "copyright", ["®"] = "registered",
        ["™"] = "trademark", ["#"] = "hash", ["π"] = "pi", ["µ"] = "micro", ["§"] = "section", ["℃"] = "degrees Celsius", ["℉"] = "degrees Fahrenheit", ["→"] = "to",
        ["^2"] = "squared", ["^3"] = "cubed", ["^"] = "to the power of", ["№"] = "number",
    };

    [GeneratedRegex(@"(?<![\w)\].,%°])-(?=\.?\d)")]
    private static partial Regex Negative();

    [GeneratedRegex(@"(?<![\w-])(\d{1,9}(?:[.,]\d{1,6})?(?:st|nd|rd|th)?) ?[-–—~](?= ?\d{1,9}(?!\d|-\d))(?! -) ?")]
    private static partial Regex NumberRange();

    [GeneratedRegex(@"(?<![\w.])\d{1,9}(?:\.\d{1,9}){2,6}(?![\w])")]
    private static partial Regex Version();

    [GeneratedRegex(@"(?<![\w.])(\d{1,3}(?:,\d{3}){1,4}|\d{1,15})(?:st|nd|rd|th|ST|ND|RD|TH)\b")]
    private static partial Regex Ordinal();

    [GeneratedRegex(@"(?<=\d)(?=\p{L})|(?<=\p{L})(?=\d)|(?<=\p{L})[-–](?=\d)|(?<=\d)[-–](?=\p{L})")]
    private static partial Regex LetterFigure();

    [GeneratedRegex(@"(?:(?<![\d,])\d{1,3}(?:,\d{3}){1,11}(?![\d,])|\d{1,40})?\.\d{1,40}(?!\d)|(?<![\d,])\d{1,3}(?:,\d{3}){1,11}(?!\d|,\d)|\d{1,40}")]
    private static partial Regex Number();

    [GeneratedRegex(@"[*_~`|\\{}]+|^\s*(?:#{1,6} |[-•·‣▪>] )|</?[A-Za-z]{1,12}[^<>]{0,60}>")]
    private static partial Regex Markup();

    [GeneratedRegex(@"<=|>=|!=|\^[23]?|[&+=×÷±≈<>≤≥≠√∞%‰°@/$€£¥²³©®™#πµ§℃℉→№]")]
    private static partial Regex Sign();

    [GeneratedRegex(@" ?(?:—|--) ?| [–-] ")]
    private static partial Regex Dash();

    [GeneratedRegex(@"(?<=[\p{L}\p{N}]) ?[(\[] ?(?=[\p{L}\p{N}])")]
    private static partial Regex OpenBracket();

    [GeneratedRegex(@"[)\]](?= [\p{L}\p{N}])")]
    private static partial Regex CloseBracket();

    [GeneratedRegex(@"[()\[\]<>•·–]|[\p{Sm}\p{Sc}\p{Sk}]")]
    private static partial Regex Unspoken();

    [GeneratedRegex(@" {2,}")]
    private static partial Regex Blanks();

    [GeneratedRegex(@" ([,.;:!?](?![\p{L}\p{N}]))")]
    private static partial Regex BlankBeforeMark();

    [GeneratedRegex(@",+([,.;:!?])")]
    private static partial Regex CommaBeforeMark();
}
