using System.Text.RegularExpressions;
using static LightTts.Text.Languages.FigurePattern;

namespace LightTts.Text.Languages;

/// <summary>Spanish figures.</summary>
internal sealed class Spanish() : FigureReader(s_currencies, s_units, s_signs)
{
    private static readonly string[] s_small =
        ["cero", "uno", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve", "diez", "once", "doce", "trece", "catorce", "quince",
            "dieciséis", "diecisiete", "dieciocho", "diecinueve", "veinte", "veintiuno", "veintidós", "veintitrés", "veinticuatro", "veinticinco",
            "veintiséis", "veintisiete", "veintiocho", "veintinueve"];
    private static readonly string[] s_tens = ["", "", "", "treinta", "cuarenta", "cincuenta", "sesenta", "setenta", "ochenta", "noventa"];
    private static readonly string[] s_hundreds =
        ["", "ciento", "doscientos", "trescientos", "cuatrocientos", "quinientos", "seiscientos", "setecientos", "ochocientos", "novecientos"];
    private static readonly string[] s_ordinals =
        ["", "primer", "segund", "tercer", "cuart", "quint", "sext", "séptim", "octav", "noven", "décim", "undécim", "duodécim", "decimotercer",
            "decimocuart", "decimoquint", "decimosext", "decimoséptim", "decimoctav", "decimonoven"];
    private static readonly string[] s_ordinalTens =
        ["", "", "vigésim", "trigésim", "cuadragésim", "quincuagésim", "sexagésim", "septuagésim", "octogésim", "nonagésim"];
    private static readonly string[] s_months =
        ["enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre"];

    private static readonly Noun s_cent = new("céntimo", "céntimos");
    private static readonly Noun s_euro = new("euro", "euros", Cents: s_cent);
    private static readonly Noun s_dollar = new("dólar", "dólares", Cents: new("centavo", "centavos"));
    private static readonly Dictionary<string, Noun> s_currencies = new(StringComparer.Ordinal)
    {
        ["€"] = s_euro, ["EUR"] = s_euro, ["$"] = s_dollar, ["US$"] = s_dollar, ["USD"] = s_dollar,
        ["£"] = new("libra", "libras", 'f', Cents: new("penique", "peniques")), ["¥"] = new("yen", "yenes"),
        ["MXN"] = new("peso mexicano", "pesos mexicanos", Cents: new("centavo", "centavos")),
        ["M€"] = new("millón de euros", "millones de euros"),
    };

    private static readonly Dictionary<string, Noun> s_units = new(StringComparer.Ordinal)
    {
        ["km"] = new("kilómetro", "kilómetros"), ["m"] = new("metro", "metros"), ["cm"] = new("centímetro", "centímetros"),
        ["mm"] = new("milímetro", "milímetros"), ["km²"] = new("kilómetro cuadrado", "kilómetros cuadrados"),
        ["m²"] = new("metro cuadrado", "metros cuadrados"), ["m³"] = new("metro cúbico", "metros cúbicos"), ["ha"] = new("hectárea", "hectáreas",
            'f'),
        ["km/h"] = new("kilómetro por hora", "kilómetros por hora"), ["m/s"] = new("metro por segundo", "metros por segundo"),
        ["kg"] = new("kilogramo", "kilogramos"), ["g"] = new("gramo", "gramos"), ["mg"] = new("miligramo", "miligramos"),
        ["t"] = new("tonelada", "toneladas", 'f'), ["l"] = new("litro", "litros"), ["L"] = new("litro", "litros"),
        ["ml"] = new("mililitro", "mililitros"), ["h"] = new("hora", "horas", 'f'), ["min"] = new("minuto", "minutos"), ["s"] = new("segundo",
            "segundos"),
        ["°C"] = new("grado Celsius", "grados Celsius"), ["°F"] = new("grado Fahrenheit", "grados Fahrenheit"), ["°"] = new("grado", "grados"),
        ["W"] = new("vatio", "vatios"), ["kW"] = new("kilovatio", "kilovatios"), ["kWh"] = new("kilovatio hora", "kilovatios hora"),
        ["V"] = new("voltio", "voltios"), ["Hz"] = new("hercio", "hercios"), ["MB"] = new("megabyte", "megabytes"), ["GB"] = new("gigabyte",
            "gigabytes"),
    };

    private static readonly Dictionary<string, string> s_signs = new(StringComparer.Ordinal)
    {
        ["&"] = "y", ["+"] = "más", ["="] = "igual a", ["×"] = "por", ["÷"] = "entre", ["€"] = "euros", ["%"] = "por ciento", ["n.º"] = "número",
        ["nº"] = "número", ["N.º"] = "Número", ["Nº"] = "Número",
    };

    private static readonly Regex s_numericDate = Pattern(@"(?<![\d/])(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})(?![\d/])");
    private static readonly Regex s_namedDate =
        Pattern($@"(?<![\d.,])(\d{{1,2}})(?:\.?º)?\sde\s({string.Join('|', s_months)})(?:\sdel?\s(\d{{4}}))?(?!\p{{L}})");
    private static readonly Regex s_clock = Pattern(@"(?<![\d:.,])([01]?\d|2[0-4])[:.]([0-5]\d)\s?h(?![\p{L}\d])");
    private static readonly Regex s_ordinal = Pattern(@"(?<![\p{L}\d.,])(\d{1,3})\.?(º|ª|ᵉʳ|er)(?!\p{L})");

    protected override string To => "a";

    protected override string Minus => "menos";

    protected override string Point => "coma";

    protected override string And => " con ";

    protected override string ReadOwn(string text)
    {
        text = s_numericDate.Replace(text, m => IsDate(m, 1, 2) ? Date(Int(m, 1), Int(m, 2), Int(m, 3), m) : m.Value);
        text = s_namedDate.Replace(text, m => Int(m, 1) is >= 1 and <= 31
            ? Date(Int(m, 1), Array.IndexOf(s_months, m.Groups[2].Value) + 1, m.Groups[3].Success ? Int(m, 3) : null, m) : m.Value);
        text = s_clock.Replace(text, m => Time(Int(m, 1), Int(m, 2), null, m) + " horas");
        return s_ordinal.Replace(text, m => Ordinal(Int(m, 1), m.Groups[2].Value));
    }

    protected override string Date(int day, int month, int? year, Match match) =>
        $"{(day == 1 ? "primero" : Cardinal(day, 's'))} de {s_months[month - 1]}{(year is { } value ? " de " + Cardinal(value, 's') : "")}";

    protected override string Time(int hour, int minute, int? second, Match match) =>
        Cardinal(hour, 'f') + (minute == 0 ? "" : minute < 10 ? " cero " + Cardinal(minute, 's') : " " + Cardinal(minute, 's'))
        + (second is { } seconds ? $" y {Cardinal(seconds)} {(seconds == 1 ? "segundo" : "segundos")}" : "");

    protected override string Percent(string number, bool mille) => $"{Spoken(number, 's')} por {(mille ? "mil" : "ciento")}";

    protected override string Count(long number, Noun noun) => number >= 1_000_000 && number % 1_000_000 == 0
        ? $"{Cardinal(number)} de {noun.Many}" : base.Count(number, noun);

    protected override string Fraction(string digits) => digits.Length <= 2 && digits[0] != '0' ? Cardinal(long.Parse(digits,
        System.Globalization.CultureInfo.InvariantCulture), 's') : Digits(digits);

    protected override string Plain(Match match, string text)
    {
        var next = WordAfter(text, match.Index + match.Length);
        if (next.Length < 3 || next is "por" or "más" or "menos" or "con" or "que" or "para" or "del" or "son" or "está" or "entre")
            return Spoken(match.Value, 's');
        if (next is "día" or "días" or "idiomas" or "problemas" or "temas" or "mapas" or "programas" or "planetas" or "sistemas")
            return Spoken(match.Value, 'm');
        return Spoken(match.Value, next.EndsWith('a') || next.EndsWith("as", StringComparison.Ordinal) || next.EndsWith("ión",
            StringComparison.Ordinal)
            || next.EndsWith("iones", StringComparison.Ordinal) || next.EndsWith("dades", StringComparison.Ordinal) ? 'f' : 'm');
    }

    /// <param name="number">The number.</param>
    /// <param name="gender">m: un; f: una; s: uno, standing alone.</param>
    protected override string Cardinal(long number, char gender = 's') => Words(number, gender);

    private static string Words(long number, char gender)
    {
        if (number >= 1_000_000)
        {
            var (size, one, many) = number >= 1_000_000_000_000 ? (1_000_000_000_000, "billón", "billones") : (1_000_000L, "millón", "millones");
            var (high, low) = (number / size, number % size);
            return (high == 1 ? "un " + one : $"{Words(high, 'm')} {many}") + (low == 0 ? "" : " " + Words(low, gender));
        }
        if (number >= 1000)
            return (number / 1000 == 1 ? "" : Words(number / 1000, gender == 'f' ? 'f' : 'm') + " ") + "mil"
                + (number % 1000 == 0 ? "" : " " + Words(number % 1000, gender));
        if (number == 100)
            return "cien";
        if (number > 100)
        {
            var hundreds = s_hundreds[number / 100];
            if (gender == 'f' && number >= 200)
                hundreds = hundreds[..^2] + "as";
            return hundreds + (number % 100 == 0 ? "" : " " + Words(number % 100, gender));
        }
        var words = number < 30 ? s_small[number] : s_tens[number / 10] + (number % 10 == 0 ? "" : " y " + s_small[number % 10]);
        if (number % 10 != 1 || number == 11 || gender == 's')
            return words;
        return gender == 'f' ? words[..^1] + "a" : number == 21 ? "veintiún" : words[..^1];
    }

    private string Ordinal(int number, string ending)
    {
        var (last, isShort) = (ending == "ª" ? "a" : "o", ending is "er" or "ᵉʳ");
        if (number is 0 or > 100)
            return Cardinal(number);
        if (number == 100)
            return "centésim" + last;
        if (isShort && number is 1 or 3)
            return s_ordinals[number];
        if (number < 20)
            return s_ordinals[number] + last;
        return s_ordinalTens[number / 10] + last + (number % 10 == 0 ? "" : " " + s_ordinals[number % 10] + last);
    }
}
