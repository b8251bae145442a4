using System.Text.RegularExpressions;
using static LightTts.Text.Languages.FigurePattern;

namespace LightTts.Text.Languages;

/// <summary>Italian figures.</summary>
internal sealed class Italian() : FigureReader(s_currencies, s_units, s_signs)
{
    private static readonly string[] s_small =
        ["zero", "uno", "due", "tre", "quattro", "cinque", "sei", "sette", "otto", "nove", "dieci", "undici", "dodici", "tredici", "quattordici",
            "quindici", "sedici", "diciassette", "diciotto", "diciannove"];
    private static readonly string[] s_tens =
        ["", "", "venti", "trenta", "quaranta", "cinquanta", "sessanta", "settanta", "ottanta", "novanta"];
    private static readonly string[] s_ordinals =
        ["", "prim", "second", "terz", "quart", "quint", "sest", "settim", "ottav", "non", "decim"];
    private static readonly string[] s_months =
        ["gennaio", "febbraio", "marzo", "aprile", "maggio", "giugno", "luglio", "agosto", "settembre", "ottobre", "novembre", "dicembre"];

    private static readonly Noun s_cent = new("centesimo", "centesimi");
    private static readonly Noun s_euro = new("euro", "euro", Cents: s_cent);
    private static readonly Noun s_dollar = new("dollaro", "dollari", Cents: s_cent);
    private static readonly Dictionary<string, Noun> s_currencies = new(StringComparer.Ordinal)
    {
        ["€"] = s_euro, ["EUR"] = s_euro, ["$"] = s_dollar, ["USD"] = s_dollar,
        ["£"] = new("sterlina", "sterline", 'f', Cents: new("penny", "pence")), ["¥"] = new("yen", "yen"),
        ["CHF"] = new("franco svizzero", "franchi svizzeri", Cents: s_cent), ["mln €"] = new("milione di euro", "milioni di euro"),
    };

    private static readonly Dictionary<string, Noun> s_units = new(StringComparer.Ordinal)
    {
        ["km"] = new("chilometro", "chilometri"), ["m"] = new("metro", "metri"), ["cm"] = new("centimetro", "centimetri"),
        ["mm"] = new("millimetro", "millimetri"), ["km²"] = new("chilometro quadrato", "chilometri quadrati"),
        ["m²"] = new("metro quadrato", "metri quadrati"), ["m³"] = new("metro cubo", "metri cubi"), ["ha"] = new("ettaro", "ettari"),
        ["km/h"] = new("chilometro orario", "chilometri orari"), ["m/s"] = new("metro al secondo", "metri al secondo"),
        ["kg"] = new("chilogrammo", "chilogrammi"), ["g"] = new("grammo", "grammi"), ["mg"] = new("milligrammo", "milligrammi"),
        ["t"] = new("tonnellata", "tonnellate", 'f'), ["l"] = new("litro", "litri"), ["L"] = new("litro", "litri"),
        ["ml"] = new("millilitro", "millilitri"), ["h"] = new("ora", "ore", 'f'), ["min"] = new("minuto", "minuti"), ["s"] = new("secondo",
            "secondi"),
        ["°C"] = new("grado Celsius", "gradi Celsius"), ["°F"] = new("grado Fahrenheit", "gradi Fahrenheit"), ["°"] = new("grado", "gradi"),
        ["W"] = new("watt", "watt"), ["kW"] = new("chilowatt", "chilowatt"), ["kWh"] = new("chilowattora", "chilowattora"),
        ["V"] = new("volt", "volt"), ["Hz"] = new("hertz", "hertz"), ["MB"] = new("megabyte", "megabyte"), ["GB"] = new("gigabyte", "gigabyte"),
    };

    private static readonly Dictionary<string, string> s_signs = new(StringComparer.Ordinal)
    {
        ["&"] = "e", ["+"] = "più", ["="] = "uguale a", ["×"] = "per", ["÷"] = "diviso", ["€"] = "euro", ["%"] = "per cento", ["n."] = "numero",
        ["n°"] = "numero", ["N."] = "Numero",
    };

    private static readonly Regex s_numericDate = Pattern(@"(?<![\d/])(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})(?![\d/])");
    private static readonly Regex s_namedDate =
        Pattern($@"(?<![\d.,])(\d{{1,2}})[°º]?\s({string.Join('|', s_months)})(?:\s(?:del\s)?(\d{{4}}))?(?!\p{{L}})");
    private static readonly Regex s_clock = Pattern(@"(?<=\b(?:[Aa]ll[ea']|[Oo]re|[Dd]all[ea]|[Ll]e)\s)([01]?\d|2[0-4])[.]([0-5]\d)(?!\d|[.,]\d)");
    private static readonly Regex s_ordinal = Pattern(@"(?<![\p{L}\d.,])(\d{1,6})([ºª]|°(?=\s\p{L}))(?!\p{L})");

    protected override string To => "a";

    protected override string Minus => "meno";

    protected override string Point => "virgola";

    protected override string And => " e ";

    protected override string ReadOwn(string text)
    {
        text = s_numericDate.Replace(text, m => IsDate(m, 1, 2) ? Date(Int(m, 1), Int(m, 2), Int(m, 3), m) : m.Value);
        text = s_namedDate.Replace(text, m => Int(m, 1) is >= 1 and <= 31
            ? Date(Int(m, 1), Array.IndexOf(s_months, m.Groups[2].Value) + 1, m.Groups[3].Success ? Int(m, 3) : null, m) : m.Value);
        text = s_clock.Replace(text, m => Time(Int(m, 1), Int(m, 2), null, m));
        return s_ordinal.Replace(text, m => Ordinal(Int(m, 1), m.Groups[2].Value == "ª" ? "a" : "o"));
    }

    protected override string Date(int day, int month, int? year, Match match) =>
        $"{(day == 1 ? "primo" : Cardinal(day))} {s_months[month - 1]}{(year is { } value ? " " + Cardinal(value) : "")}";

    protected override string Time(int hour, int minute, int? second, Match match) =>
        Cardinal(hour, hour == 1 ? 'f' : 's') + (minute == 0 ? "" : " e " + Cardinal(minute))
        + (second is { } seconds ? $" e {Cardinal(seconds, 'm')} {(seconds == 1 ? "secondo" : "secondi")}" : "");

    protected override string Percent(string number, bool mille) => $"{Spoken(number, 's')} per {(mille ? "mille" : "cento")}";

    protected override string Count(long number, Noun noun) => number >= 1_000_000 && number % 1_000_000 == 0
        ? $"{Cardinal(number)} di {noun.Many}" : base.Count(number, noun);

    protected override string Fraction(string digits) => digits.Length <= 2 && digits[0] != '0' ? Cardinal(long.Parse(digits,
        System.Globalization.CultureInfo.InvariantCulture)) : Digits(digits);

    protected override string Plain(Match match, string text)
    {
        var next = WordAfter(text, match.Index + match.Length);
        if (match.Value != "1" || next.Length < 3 || next is "per" or "più" or "meno" or "con" or "che" or "del" or "non" or "sono")
            return Spoken(match.Value, 's');
        return next.EndsWith('a') ? "una" : next[0] == 'z' || (next[0] == 's' && !"aeiou".Contains(next[1], StringComparison.Ordinal)) ? "uno" : "un";
    }

    /// <param name="number">The number.</param>
    /// <param name="gender">Of what is counted: one of it is "un" or "una"; s: nothing, "uno".</param>
    protected override string Cardinal(long number, char gender = 's') =>
        number == 1 ? gender switch { 'm' => "un", 'f' => "una", _ => "uno" } : Words(number);

    private static string Words(long number)
    {
        if (number >= 1_000_000)
        {
            var (size, one, many) = number >= 1_000_000_000_000 ? (1_000_000_000_000, "bilione", "bilioni")
                : number >= 1_000_000_000 ? (1_000_000_000, "miliardo", "miliardi") : (1_000_000L, "milione", "milioni");
            var (high, low) = (number / size, number % size);
            return (high == 1 ? "un " + one : $"{Words(high)} {many}") + (low == 0 ? "" : " " + Words(low));
        }
        var words = Joined(number);
        return number > 20 && words.EndsWith("tre", StringComparison.Ordinal) ? words[..^1] + "é" : words;
    }

    private static string Joined(long number)
    {
        if (number >= 1000)
            return (number / 1000 == 1 ? "mille" : Joined(number / 1000) + "mila") + (number % 1000 == 0 ? "" : Joined(number % 1000));
        if (number >= 100)
            return (number / 100 == 1 ? "" : s_small[number / 100]) + "cento" + (number % 100 == 0 ? "" : Joined(number % 100));
        if (number < 20)
            return s_small[number];
        var (tens, ones) = (s_tens[number / 10], number % 10);
        return ones == 0 ? tens : (ones is 1 or 8 ? tens[..^1] : tens) + s_small[ones];
    }

    private static string Ordinal(int number, string last)
    {
        if (number is > 0 and <= 10)
            return s_ordinals[number] + last;
        var words = Joined(number);
        if (words.EndsWith("mila", StringComparison.Ordinal))
            words = words[..^2] + "le";
        // ventitré and ventisei keep their vowel, the others lose it.
        return (words.EndsWith("tre", StringComparison.Ordinal) || words.EndsWith("sei", StringComparison.Ordinal) ? words
            : words[..^1]) + "esim" + last;
    }
}
