using System.Text.RegularExpressions;
using static LightTts.Text.Languages.FigurePattern;

namespace LightTts.Text.Languages;

/// <summary>German figures.</summary>
internal sealed class German() : FigureReader(s_currencies, s_units, s_signs)
{
    private static readonly string[] s_small =
        ["null", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun", "zehn", "elf", "zwölf", "dreizehn", "vierzehn",
            "fünfzehn",
            "sechzehn", "siebzehn", "achtzehn", "neunzehn"];
    private static readonly string[] s_tens = ["", "", "zwanzig", "dreißig", "vierzig", "fünfzig", "sechzig", "siebzig", "achtzig", "neunzig"];
    private static readonly string[] s_months =
        ["Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November", "Dezember"];

    private static readonly Noun s_cent = new("Cent", "Cent");
    private static readonly Dictionary<string, Noun> s_currencies = new(StringComparer.Ordinal)
    {
        ["€"] = new("Euro", "Euro", Cents: s_cent), ["EUR"] = new("Euro", "Euro", Cents: s_cent), ["$"] = new("Dollar", "Dollar", Cents: s_cent),
        ["US$"] = new("US-Dollar", "US-Dollar", Cents: s_cent), ["USD"] = new("US-Dollar", "US-Dollar", Cents: s_cent),
        ["£"] = new("Pfund", "Pfund", 'n', Cents: new("Penny", "Pence")), ["¥"] = new("Yen", "Yen"),
        ["CHF"] = new("Franken", "Franken", Cents: new("Rappen", "Rappen")),
        ["Mio. €"] = new("Million Euro", "Millionen Euro", 'f'), ["Mrd. €"] = new("Milliarde Euro", "Milliarden Euro", 'f'),
    };

    private static readonly Dictionary<string, Noun> s_units = new(StringComparer.Ordinal)
    {
        ["km"] = new("Kilometer", "Kilometer"), ["m"] = new("Meter", "Meter"), ["cm"] = new("Zentimeter", "Zentimeter"),
        ["mm"] = new("Millimeter", "Millimeter"), ["km²"] = new("Quadratkilometer", "Quadratkilometer"),
        ["m²"] = new("Quadratmeter", "Quadratmeter"), ["m³"] = new("Kubikmeter", "Kubikmeter"), ["ha"] = new("Hektar", "Hektar"),
        ["km/h"] = new("Kilometer pro Stunde", "Kilometer pro Stunde"), ["m/s"] = new("Meter pro Sekunde", "Meter pro Sekunde"),
        ["kg"] = new("Kilogramm", "Kilogramm", 'n'), ["g"] = new("Gramm", "Gramm", 'n'), ["mg"] = new("Milligramm", "Milligramm", 'n'),
        ["t"] = new("Tonne", "Tonnen", 'f'), ["l"] = new("Liter", "Liter"), ["L"] = new("Liter", "Liter"),
        ["ml"] = new("Milliliter", "Milliliter"), ["Std."] = new("Stunde", "Stunden", 'f'), ["h"] = new("Stunde", "Stunden", 'f'),
        ["min"] = new("Minute", "Minuten", 'f'), ["Min."] = new("Minute", "Minuten", 'f'), ["s"] = new("Sekunde", "Sekunden", 'f'),
        ["°C"] = new("Grad Celsius", "Grad Celsius"), ["°F"] = new("Grad Fahrenheit", "Grad Fahrenheit"), ["°"] = new("Grad", "Grad"),
        ["W"] = new("Watt", "Watt"), ["kW"] = new("Kilowatt", "Kilowatt"), ["kWh"] = new("Kilowattstunde", "Kilowattstunden", 'f'),
        ["V"] = new("Volt", "Volt"), ["Hz"] = new("Hertz", "Hertz"), ["MB"] = new("Megabyte", "Megabyte"), ["GB"] = new("Gigabyte", "Gigabyte"),
        ["Mio."] = new("Million", "Millionen", 'f'), ["Mrd."] = new("Milliarde", "Milliarden", 'f'), ["PS"] = new("PS", "PS"),
    };

    private static readonly Dictionary<string, string> s_signs = new(StringComparer.Ordinal)
    {
        ["&"] = "und", ["+"] = "plus", ["="] = "gleich", ["×"] = "mal", ["÷"] = "geteilt durch", ["§"] = "Paragraf", ["€"] = "Euro",
            ["%"] = "Prozent",
    };

    private static readonly Regex s_numericDate = Pattern(@"(?<![\d.])(\d{1,2})\.\s?(\d{1,2})\.\s?(\d{4})(?![\d.]\d)");
    private static readonly Regex s_namedDate = Pattern($@"(?<![\d.,])(\d{{1,2}})\.\s?({string.Join('|', s_months)})(?:\s(\d{{4}}))?(?!\p{{L}})");
    private static readonly Regex s_clock = Pattern(@"(?<![\d:.,])([01]?\d|2[0-4])(?:[:.]([0-5]\d))?(?::([0-5]\d))?\s?Uhr(?!\p{L})");
    private static readonly Regex s_ordinal = Pattern(@"(?<![\p{L}\d.,])(\d{1,3})\.(?=\s\p{L})");

    protected override string To => "bis";

    protected override string Minus => "minus";

    protected override string Point => "Komma";

    protected override string And => " ";

    protected override string WithCents(int cents, Noun noun) => Cardinal(cents, 'm');

    protected override string ReadOwn(string text)
    {
        text = s_numericDate.Replace(text, m => IsDate(m, 1, 2) ? Date(Int(m, 1), Int(m, 2), Int(m, 3), Ending(text, m.Index)) : m.Value);
        text = s_namedDate.Replace(text, m => Int(m, 1) is >= 1 and <= 31
            ? Date(Int(m, 1), Array.IndexOf(s_months, m.Groups[2].Value) + 1, m.Groups[3].Success ? Int(m, 3) : null, Ending(text, m.Index))
            : m.Value);
        text = s_clock.Replace(text, m => Time(Int(m, 1), m.Groups[2].Success ? Int(m, 2) : 0, m.Groups[3].Success ? Int(m, 3) : null, m));
        return s_ordinal.Replace(text, m => IsOrdinal(WordBefore(text, m.Index)) ? Ordinal(Int(m, 1)) + Ending(text, m.Index) : m.Value);
    }

    protected override string Date(int day, int month, int? year, Match match) => Date(day, month, year, "er");

    protected override string Time(int hour, int minute, int? second, Match match) => second is { } seconds
        ? $"{Cardinal(hour, 'n')} Uhr {Cardinal(minute)} und {Cardinal(seconds)} {(seconds == 1 ? "Sekunde" : "Sekunden")}"
        : $"{Cardinal(hour, 'a')} Uhr{(minute == 0 ? "" : " " + Cardinal(minute))}";

    protected override string Percent(string number, bool mille) => $"{Spoken(number, 'a')} {(mille ? "Promille" : "Prozent")}";

    protected override string Plain(Match match, string text) =>
        // Four figures are a year, or read like one.
        match is { Length: 4 } && Parse(match.Value) is { Whole: >= 1100 and < 2000, Fraction: null } year ? Year((int)year.Whole!.Value)
            : Spoken(match.Value, NounFollows(text, match.Index + match.Length) ? 'a' : 's');

    /// <param name="number">The number.</param>
    /// <param name="gender">f: eine; m, n: ein; a: ein before a noun of unknown gender; s: eins.</param>
    protected override string Cardinal(long number, char gender = 's')
    {
        if (number == 1)
            return gender switch { 'f' => "eine", 'm' or 'n' or 'a' => "ein", _ => "eins" };
        return Words(number);
    }

    protected override string Fraction(string digits) => string.Join(' ', digits.Select(digit => s_small[digit - '0']));

    private static bool NounFollows(string text, int at) => at + 1 < text.Length && text[at] == ' ' && char.IsUpper(text[at + 1]);

    private static string Words(long number)
    {
        if (number >= 1_000_000)
        {
            var (size, one, many) = number >= 1_000_000_000_000 ? (1_000_000_000_000, "Billion", "Billionen")
                : number >= 1_000_000_000 ? (1_000_000_000, "Milliarde", "Milliarden") : (1_000_000L, "Million", "Millionen");
            var (high, low) = (number / size, number % size);
            return (high == 1 ? "eine " + one : $"{Words(high)} {many}") + (low == 0 ? "" : " " + Words(low));
        }
        if (number >= 1000)
            return (number / 1000 == 1 ? "" : Joined(number / 1000)) + "tausend" + (number % 1000 == 0 ? ""
                : number % 1000 is >= 100 and < 200 ? "ein" + Words(number % 1000) : Words(number % 1000));
        if (number >= 100)
            return (number / 100 == 1 ? "" : Joined(number / 100)) + "hundert" + (number % 100 == 0 ? "" : Words(number % 100));
        if (number < 20)
            return s_small[number];
        return (number % 10 == 0 ? "" : Joined(number % 10) + "und") + s_tens[number / 10];
    }

    /// <summary>Inside of a longer number.</summary>
    private static string Joined(long number) => Words(number) is var words && words.EndsWith("eins", StringComparison.Ordinal) ? words[..^1] : words;

    private static string Year(int year) => year is >= 1100 and < 2000
        ? Words(year / 100) + "hundert" + (year % 100 == 0 ? "" : Words(year % 100)) : Words(year);

    private static string Date(int day, int month, int? year, string ending) =>
        $"{Ordinal(day)}{ending} {s_months[month - 1]}{(year is { } value ? " " + Year(value) : "")}";

    /// <summary>The stem of an ordinal.</summary>
    private static string Ordinal(int number) => (number % 100) switch
    {
        1 => Before(number) + "erst",
        3 => Before(number) + "dritt",
        7 => Before(number) + "siebt",
        8 => Before(number) + "acht",
        > 0 and < 20 => Words(number) + "t",
        _ => Words(number) + "st",
    };

    private static string Before(int number) => number < 100 ? "" : Words(number - number % 100);

    private static bool IsOrdinal(string before) => Ending(before) is not null;

    private static string Ending(string text, int at) => Ending(WordBefore(text, at)) ?? "er";

    /// <summary>The ending that an ordinal has behind a word; null where none is to be expected.</summary>
    private static string? Ending(string before) => before switch
    {
        "der" or "die" or "das" or "eine" or "diese" or "dieser" or "dieses" or "jede" or "seine" or "ihre" or "meine" or "unsere" => "e",
        "am" or "im" or "dem" or "den" or "des" or "vom" or "zum" or "zur" or "beim" or "einen" or "einem" or "einer" or "jeden" or "jedem"
            or "seinen" or "seinem" or "seiner" or "ihren" or "ihrem" or "ihrer" or "meinen" or "meinem" or "meiner" or "unserem" or "bis" or "ab"
            or "seit" => "en",
        "ein" or "sein" or "mein" or "ihr" or "unser" => "er",
        _ => null,
    };
}
