using System.Text.RegularExpressions;
using static LightTts.Text.Languages.FigurePattern;

namespace LightTts.Text.Languages;

/// <summary>French figures, as in France.</summary>
internal sealed class French() : FigureReader(s_currencies, s_units, s_signs)
{
    private static readonly string[] s_small =
        ["zéro", "un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf", "dix", "onze", "douze", "treize", "quatorze", "quinze",
            "seize",
            "dix-sept", "dix-huit", "dix-neuf"];
    private static readonly string[] s_tens = ["", "", "vingt", "trente", "quarante", "cinquante", "soixante", "soixante", "quatre-vingt",
        "quatre-vingt"];
    private static readonly string[] s_months =
        ["janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre"];

    private static readonly Noun s_cent = new("centime", "centimes");
    private static readonly Noun s_euro = new("euro", "euros", Cents: s_cent);
    private static readonly Noun s_dollar = new("dollar", "dollars", Cents: new("cent", "cents"));
    private static readonly Dictionary<string, Noun> s_currencies = new(StringComparer.Ordinal)
    {
        ["€"] = s_euro, ["EUR"] = s_euro, ["$"] = s_dollar, ["USD"] = s_dollar, ["£"] = new("livre", "livres", 'f', Cents: new("penny", "pence")),
        ["¥"] = new("yen", "yens"), ["CHF"] = new("franc suisse", "francs suisses", Cents: s_cent),
        ["M€"] = new("million d'euros", "millions d'euros"), ["Md€"] = new("milliard d'euros", "milliards d'euros"),
    };

    private static readonly Dictionary<string, Noun> s_units = new(StringComparer.Ordinal)
    {
        ["km"] = new("kilomètre", "kilomètres"), ["m"] = new("mètre", "mètres"), ["cm"] = new("centimètre", "centimètres"),
        ["mm"] = new("millimètre", "millimètres"), ["km²"] = new("kilomètre carré", "kilomètres carrés"), ["m²"] = new("mètre carré",
            "mètres carrés"),
        ["m³"] = new("mètre cube", "mètres cubes"), ["ha"] = new("hectare", "hectares"), ["km/h"] = new("kilomètre-heure", "kilomètres-heure"),
        ["m/s"] = new("mètre par seconde", "mètres par seconde"), ["kg"] = new("kilogramme", "kilogrammes"), ["g"] = new("gramme", "grammes"),
        ["mg"] = new("milligramme", "milligrammes"), ["t"] = new("tonne", "tonnes", 'f'), ["l"] = new("litre", "litres"), ["L"] = new("litre",
            "litres"),
        ["ml"] = new("millilitre", "millilitres"), ["cl"] = new("centilitre", "centilitres"), ["min"] = new("minute", "minutes", 'f'),
        ["s"] = new("seconde", "secondes", 'f'), ["°C"] = new("degré Celsius", "degrés Celsius"), ["°F"] = new("degré Fahrenheit",
            "degrés Fahrenheit"),
        ["°"] = new("degré", "degrés"), ["W"] = new("watt", "watts"), ["kW"] = new("kilowatt", "kilowatts"),
        ["kWh"] = new("kilowattheure", "kilowattheures"), ["V"] = new("volt", "volts"), ["Hz"] = new("hertz", "hertz"),
        ["Mo"] = new("mégaoctet", "mégaoctets"), ["Go"] = new("gigaoctet", "gigaoctets"), ["ch"] = new("cheval", "chevaux"),
    };

    private static readonly Dictionary<string, string> s_signs = new(StringComparer.Ordinal)
    {
        ["&"] = "et", ["+"] = "plus", ["="] = "égale", ["×"] = "fois", ["÷"] = "divisé par", ["§"] = "paragraphe", ["€"] = "euros",
            ["%"] = "pour cent",
        ["n°"] = "numéro", ["N°"] = "Numéro", ["nº"] = "numéro",
    };

    private static readonly Regex s_numericDate = Pattern(@"(?<![\d/])(\d{1,2})[/.](\d{1,2})[/.](\d{4})(?![\d/])");
    private static readonly Regex s_namedDate =
        Pattern($@"(?<![\d.,])(\d{{1,2}})(?:er)?\s({string.Join('|', s_months)})(?:\s(\d{{4}}))?(?!\p{{L}})");
    private static readonly Regex s_clock = Pattern(@"(?<![\d:.,])([01]?\d|2[0-4])\s?h(?:\s?([0-5]\d))?(?![\p{L}\d])");
    private static readonly Regex s_ordinal = Pattern(@"(?<![\p{L}\d.,])(\d{1,9})(ers?|res?|ères?|es?|èmes?|nde?s?)(?!\p{L})");

    protected override string To => "à";

    protected override string Minus => "moins";

    protected override string Point => "virgule";

    protected override string And => " ";

    protected override string WithCents(int cents, Noun noun) => Cardinal(cents);

    protected override string ReadOwn(string text)
    {
        text = s_numericDate.Replace(text, m => IsDate(m, 1, 2) ? Date(Int(m, 1), Int(m, 2), Int(m, 3), m) : m.Value);
        text = s_namedDate.Replace(text, m => Int(m, 1) is >= 1 and <= 31
            ? Date(Int(m, 1), Array.IndexOf(s_months, m.Groups[2].Value) + 1, m.Groups[3].Success ? Int(m, 3) : null, m) : m.Value);
        text = s_clock.Replace(text, m => Time(Int(m, 1), m.Groups[2].Success ? Int(m, 2) : 0, null, m));
        return s_ordinal.Replace(text, m => Ordinal(Int(m, 1), m.Groups[2].Value));
    }

    protected override string Date(int day, int month, int? year, Match match) =>
        $"{(day == 1 ? "premier" : Cardinal(day))} {s_months[month - 1]}{(year is { } value ? " " + Cardinal(value) : "")}";

    protected override string Time(int hour, int minute, int? second, Match match) =>
        $"{Cardinal(hour, 'f')} {(hour <= 1 ? "heure" : "heures")}{(minute == 0 ? "" : " " + Cardinal(minute, second is null ? 'm' : 'f'))}"
        + (second is { } seconds ? $" {(minute == 0 ? "zéro " : "")}{(minute <= 1 ? "minute" : "minutes")} et {Cardinal(seconds, 'f')} "
            + $"{(seconds <= 1 ? "seconde" : "secondes")}" : "");

    protected override string Percent(string number, bool mille) => $"{Spoken(number, 'm')} pour {(mille ? "mille" : "cent")}";

    protected override string Count(long number, Noun noun)
    {
        var words = Cardinal(number, noun.Gender);
        // un million d'euros
        if (number >= 1_000_000 && number % 1_000_000 == 0)
            words += "aeiouéh".Contains(noun.Many[0], StringComparison.Ordinal) ? " d'" + noun.Many : " de " + noun.Many;
        else
            words += " " + (number < 2 ? noun.One : noun.Many);
        return words;
    }

    protected override string Counted(string number, Noun noun) =>
        // One and a half is singular in French.
        Parse(number) is { Whole: < 2, Fraction: not null } ? $"{Spoken(number, noun.Gender)} {noun.One}" : base.Counted(number, noun);

    protected override string Fraction(string digits) => digits.Length <= 2 && digits[0] != '0' ? Cardinal(long.Parse(digits,
        System.Globalization.CultureInfo.InvariantCulture)) : Digits(digits);

    protected override string Cardinal(long number, char gender = 's')
    {
        var words = Words(number);
        return gender == 'f' && (words == "un" || words.EndsWith(" un", StringComparison.Ordinal) || words.EndsWith("-un", StringComparison.Ordinal))
            ? words + "e" : words;
    }

    private static string Words(long number)
    {
        if (number >= 1_000_000)
        {
            var (size, name) = number >= 1_000_000_000_000 ? (1_000_000_000_000, "billion") : number >= 1_000_000_000 ? (1_000_000_000, "milliard")
                : (1_000_000L, "million");
            var (high, low) = (number / size, number % size);
            return $"{Words(high)} {name}{(high > 1 ? "s" : "")}{(low == 0 ? "" : " " + Words(low))}";
        }
        if (number >= 1000)
            // Before "mille", "cent" and "vingt" have no s.
            return (number / 1000 == 1 ? "" : Unmarked(Words(number / 1000)) + " ") + "mille" + (number % 1000 == 0 ? "" : " "
                + Words(number % 1000));
        if (number >= 100)
            return (number / 100 == 1 ? "" : s_small[number / 100] + " ") + "cent" + (number % 100 == 0 ? number / 100 > 1 ? "s" : ""
                : " " + Words(number % 100));
        if (number < 20)
            return s_small[number];
        var (tens, ones) = (number / 10, number % 10);
        if (tens is 7 or 9)
            return s_tens[tens] + (number == 71 ? " et " : "-") + s_small[10 + ones];
        return ones == 0 ? s_tens[tens] + (tens == 8 ? "s" : "") : s_tens[tens] + (ones == 1 && tens != 8 ? " et " : "-") + s_small[ones];
    }

    private static string Unmarked(string words) =>
        words.EndsWith("cents", StringComparison.Ordinal) || words.EndsWith("vingts", StringComparison.Ordinal) ? words[..^1] : words;

    private string Ordinal(int number, string ending)
    {
        var plural = ending.EndsWith('s') ? "s" : "";
        if (number == 1)
            return (ending.StartsWith('e') && !ending.StartsWith("er", StringComparison.Ordinal) ? "unième"
                : ending.StartsWith("er", StringComparison.Ordinal) ? "premier" : "première") + plural;
        if (ending.StartsWith('n'))
            return (ending.StartsWith("nde", StringComparison.Ordinal) ? "seconde" : "second") + plural;
        var words = Unmarked(Words(number));
        words = words.EndsWith("cinq", StringComparison.Ordinal) ? words + "u" : words.EndsWith("neuf", StringComparison.Ordinal) ? words[..^1] + "v"
            : words.EndsWith('e') ? words[..^1] : words;
        return words + "ième" + plural;
    }
}
