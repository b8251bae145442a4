using System.Globalization;
using System.Text.RegularExpressions;
using static LightTts.Text.Languages.FigurePattern;

namespace LightTts.Text.Languages;

/// <summary>Writes the figures of a language out as they are read: dates, times, money, percentages, units, ordinals, ranges, numbers.</summary>
/// <remarks>
/// What the languages have in common is here, class after class, each of which looks only at what those before it have left; what a
/// language says is its own. Thread-safe; time is linear, as no pattern repeats without a bound.
/// </remarks>
internal abstract class FigureReader
{
    private const int MaxDigits = 15;

    /// <summary>A number as these languages write it: groups of three with a blank, a stop or an apostrophe between, a comma or a stop before
    /// the fraction; with a minus where nothing stands before it.</summary>
    protected const string Number = @"(?<![\p{L}\p{N}.,])(?:(?<![^\s(])[-−])?"
        + @"(?:\d{1,3}(?:[. '’]\d{3}){1,4}(?!\d|\.\d)(?:,\d{1,9})?|\d{1,3}(?:\.\d{3}){1,4},\d{1,9}|\d{1,20}(?:[.,]\d{1,9})?)(?!\d)";

    private static readonly Regex s_isoDate = Pattern(@"(?<![\d-])(\d{4})-(\d{1,2})-(\d{1,2})(?![\d-])");
    private static readonly Regex s_time = Pattern(@"(?<![\d:.,])([01]?\d|2[0-4]):([0-5]\d)(?::([0-5]\d))?(?![\d:])");
    private static readonly Regex s_range =
        Pattern($@"(?<![\p{{L}}\d.,-])(\d{{1,9}}(?:[.,]\d{{1,3}})?)\s?[–-]\s?(?=\d{{1,9}}(?:[.,]\d{{1,3}})?(?![\d-]))");
    private static readonly Regex s_percent = Pattern($@"({Number})\s?([%‰])");
    private static readonly Regex s_number = Pattern(Number);
    private static readonly Regex s_code = Pattern(@"(?<=\p{L})\d{1,20}|\d{1,20}");
    private static readonly Regex s_blanks = Pattern(@" {2,64}");

    private readonly Regex _money;
    private readonly Regex _moneyFirst;
    private readonly Regex _units;
    private readonly Regex _signs;
    private readonly Dictionary<string, Noun> _currencies;
    private readonly Dictionary<string, Noun> _unitWords;
    private readonly Dictionary<string, string> _signWords;

    protected FigureReader(Dictionary<string, Noun> currencies, Dictionary<string, Noun> units, Dictionary<string, string> signs)
    {
        (_currencies, _unitWords, _signWords) = (currencies, units, signs);
        var money = Alternatives(currencies.Keys);
        _money = Pattern($@"({Number})\s?({money})(?!\p{{L}})");
        _moneyFirst = Pattern($@"(?<!\p{{L}})({money})\s?({Number})");
        _units = Pattern($@"({Number})\s?({Alternatives(units.Keys)})(?![\p{{L}}\d²³/])");
        _signs = Pattern($@"(?<!\p{{L}})(?:{Alternatives(signs.Keys.Where(sign => char.IsLetter(sign[0])).DefaultIfEmpty("№"))})"
            + $"|{Alternatives(signs.Keys.Where(sign => !char.IsLetter(sign[0])))}");
    }

    /// <summary>A noun as it is counted.</summary>
    /// <param name="One">With one.</param>
    /// <param name="Many">With several; for Russian with five and more.</param>
    /// <param name="Few">For Russian with two to four, and with fractions.</param>
    /// <param name="Gender">Its gender: m, f or n.</param>
    /// <param name="Cents">What a hundredth of it is called, in the singular and the plural; null where it has none.</param>
    protected sealed record Noun(string One, string Many, char Gender = 'm', string? Few = null, Noun? Cents = null);

    /// <summary>Writes a text out.</summary>
    public string Read(string text)
    {
        if (HasFigures(text))
        {
            text = ReadOwn(text);
            text = s_isoDate.Replace(text, m => IsDate(m, 3, 2) ? Date(Int(m, 3), Int(m, 2), Int(m, 1), m) : m.Value);
            text = s_time.Replace(text, m => Time(Int(m, 1), Int(m, 2), m.Groups[3].Success ? Int(m, 3) : null, m));
            text = s_range.Replace(text, m => $"{m.Groups[1].Value} {To} ");
            text = _moneyFirst.Replace(text, m => Money(m.Groups[2].Value, _currencies[m.Groups[1].Value]));
            text = _money.Replace(text, m => Money(m.Groups[1].Value, _currencies[m.Groups[2].Value]));
            text = s_percent.Replace(text, m => Percent(m.Groups[1].Value, m.Groups[2].Value == "‰"));
            text = _units.Replace(text, m => Counted(m.Groups[1].Value, _unitWords[m.Groups[2].Value]));
            text = s_number.Replace(text, m => Plain(m, text));
            text = s_code.Replace(text, m => (m.Index > 0 && char.IsLetter(text[m.Index - 1]) ? " " : "") + Digits(m.Value));
        }
        text = _signs.Replace(text, m => $" {_signWords[m.Value]} ");
        return s_blanks.Replace(text, " ").Replace(" .", ".", StringComparison.Ordinal).Replace(" ,", ",", StringComparison.Ordinal);
    }

    /// <summary>What stands between the ends of a range.</summary>
    protected abstract string To { get; }

    /// <summary>What stands before a negative number.</summary>
    protected abstract string Minus { get; }

    /// <summary>What stands before a fraction.</summary>
    protected abstract string Point { get; }

    /// <summary>A whole number, at least 0.</summary>
    /// <param name="number">The number.</param>
    /// <param name="gender">m, f or n before a noun of that gender; s: alone.</param>
    protected abstract string Cardinal(long number, char gender = 's');

    /// <summary>A date; the year may be missing.</summary>
    protected abstract string Date(int day, int month, int? year, Match match);

    /// <summary>A time of day.</summary>
    protected abstract string Time(int hour, int minute, int? second, Match match);

    /// <summary>A percentage, or so many in a thousand.</summary>
    protected abstract string Percent(string number, bool mille);

    /// <summary>Classes of its own, before all others.</summary>
    protected abstract string ReadOwn(string text);

    /// <summary>An amount of money.</summary>
    protected virtual string Money(string number, Noun currency)
    {
        var (whole, fraction, negative) = Parse(number);
        if (whole is not { } units || fraction is not { Length: 2 } || currency.Cents is not { } cents)
            return Counted(number, currency);
        var part = int.Parse(fraction, CultureInfo.InvariantCulture);
        var amount = Count(units, currency);
        return (negative ? Minus + " " : "") + (part == 0 ? amount : units == 0 ? Count(part, cents) : $"{amount}{And}{WithCents(part, cents)}");
    }

    /// <summary>What stands between an amount and its cents, with its blanks.</summary>
    protected abstract string And { get; }

    protected virtual string WithCents(int cents, Noun noun) => Count(cents, noun);

    /// <summary>So many of something, as written.</summary>
    protected virtual string Counted(string number, Noun noun)
    {
        var (whole, fraction, negative) = Parse(number);
        var words = whole is { } count && fraction is null ? Count(count, noun) : $"{Spoken(number, noun.Gender)} {Fractional(noun)}";
        return whole is not null && fraction is null && negative ? $"{Minus} {words}" : words;
    }

    /// <summary>The noun behind a number with a fraction.</summary>
    protected virtual string Fractional(Noun noun) => noun.Many;

    /// <summary>So many of something.</summary>
    protected virtual string Count(long number, Noun noun) => $"{Cardinal(number, noun.Gender)} {(number == 1 ? noun.One : noun.Many)}";

    /// <summary>A number that nothing is known of but what stands around it.</summary>
    protected virtual string Plain(Match match, string text) => Spoken(match.Value, 's');

    /// <summary>A number as written.</summary>
    protected string Spoken(string number, char gender)
    {
        var (whole, fraction, negative) = Parse(number);
        if (whole is not { } value)
            return Digits(number);
        var words = Cardinal(value, fraction is null ? gender : 's');
        if (fraction is not null)
            words += $" {Point} {Fraction(fraction)}";
        return negative ? $"{Minus} {words}" : words;
    }

    /// <summary>The digits behind the point; one after the other.</summary>
    protected virtual string Fraction(string digits) => Digits(digits);

    /// <summary>Each digit for itself.</summary>
    protected string Digits(string text) => string.Join(' ', text.Where(char.IsAsciiDigit).Select(digit => Cardinal(digit - '0')));

    /// <summary>Takes a number apart: whole part (null where it is a code: too long, or with leading zeros), fraction, sign.</summary>
    protected static (long? Whole, string? Fraction, bool Negative) Parse(string number)
    {
        var negative = number[0] is '-' or '−';
        number = (negative ? number[1..] : number).Replace(" ", "", StringComparison.Ordinal).Replace("'", "", StringComparison.Ordinal)
            .Replace("’", "", StringComparison.Ordinal);
        string? fraction = null;
        if (number.LastIndexOf(',') is var comma and >= 0)
            (number, fraction) = (number[..comma].Replace(".", "", StringComparison.Ordinal), number[(comma + 1)..]);
        else if (number.IndexOf('.') is var stop and > 0)
        {
            // 1.234 is a thousand, 1.5 is not.
            if (number.Length - stop == 4 || number.IndexOf('.', stop + 1) > 0)
                number = number.Replace(".", "", StringComparison.Ordinal);
            else
                (number, fraction) = (number[..stop], number[(stop + 1)..]);
        }
        var isCode = number.Length is 0 or > MaxDigits || (number.Length > 1 && number[0] == '0');
        return (isCode ? null : long.Parse(number, CultureInfo.InvariantCulture), fraction, negative);
    }

    protected static int Int(Match match, int group) => int.Parse(match.Groups[group].ValueSpan, CultureInfo.InvariantCulture);

    protected static bool IsDate(Match match, int day, int month) => Int(match, day) is >= 1 and <= 31 && Int(match, month) is >= 1 and <= 12;

    /// <summary>The word that ends right before a place, in small letters.</summary>
    protected static string WordBefore(string text, int at)
    {
        var end = at;
        while (end > 0 && text[end - 1] == ' ')
            end--;
        var start = end;
        while (start > 0 && end - start < 24 && char.IsLetter(text[start - 1]))
            start--;
        return text[start..end].ToLowerInvariant();
    }

    /// <summary>The word that starts right after a place and a blank, in small letters; empty where there is none.</summary>
    protected static string WordAfter(string text, int at)
    {
        if (at >= text.Length || text[at] != ' ')
            return "";
        var end = ++at;
        while (end < text.Length && end - at < 24 && char.IsLetter(text[end]))
            end++;
        return text[at..end].ToLowerInvariant();
    }

    private static bool HasFigures(string text) => text.AsSpan().ContainsAnyInRange('0', '9');
}
