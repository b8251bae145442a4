using System.Text.RegularExpressions;

namespace LightTts.Text;

/// <summary>Money, percentages, fractions and units, in English words.</summary>
internal static partial class EnglishMeasures
{
    private const string Amount = @"(\d{1,3}(?:,\d{3}){1,6}|\d{1,15})(?:\.(\d{1,6}))?";
    private const string Scale = @"(?: ?(hundred|thousand|million|billion|trillion|[kKMB]|bn|mn|mln|tn)(?![\p{L}\d]))?";

    private static readonly Dictionary<string, (string One, string Many, string Cent, string Cents)> s_money = new(StringComparer.Ordinal)
    {
        ["$"] = ("dollar", "dollars", "cent", "cents"), ["US$"] = ("US dollar", "US dollars", "cent", "cents"), ["C$"] = ("Canadian dollar", "Canadian dollars", "cent", "cents"),
        ["A$"] = ("Australian dollar", "Australian dollars", "cent", "cents"), ["USD"] = ("dollar", "dollars", "cent", "cents"),
        ["£"] = ("pound", "pounds", "penny", "pence"), ["GBP"] = ("pound", "pounds", "penny", "pence"), ["€"] = ("euro", "euros", "cent", "cents"),
        ["EUR"] = ("euro", "euros", "cent", "cents"), ["¥"] = ("yen", "yen", "", ""), ["JPY"] = ("yen", "yen", "", ""), ["₹"] = ("rupee", "rupees", "paisa", "paise"),
        ["₩"] = ("won", "won", "", ""), ["CHF"] = ("franc", "francs", "centime", "centimes"), ["CNY"] = ("yuan", "yuan", "", ""), ["RMB"] = ("yuan", "yuan", "", ""),
    };

    private static readonly Dictionary<string, string> s_scales = new(StringComparer.Ordinal)
    {
        ["k"] = "thousand", ["K"] = "thousand", ["M"] = "million", ["mn"] = "million", ["mln"] = "million", ["B"] = "billion", ["bn"] = "billion", ["tn"] = "trillion",
    };

    private static readonly Dictionary<string, (string One, string Many)> s_units = new(StringComparer.Ordinal)
    {
        ["km"] = ("kilometer", "kilometers"), ["m"] = ("meter", "meters"), ["cm"] = ("centimeter", "centimeters"), ["mm"] = ("millimeter", "millimeters"),
        ["mi"] = ("mile", "miles"), ["ft"] = ("foot", "feet"), ["yd"] = ("yard", "yards"), ["kg"] = ("kilogram", "kilograms"), ["g"] = ("gram", "grams"), ["mg"] = ("milligram", "milligrams"),
        ["lb"] = ("pound", "pounds"), ["lbs"] = ("pound", "pounds"), ["oz"] = ("ounce", "ounces"), ["l"] = ("liter", "liters"), ["L"] = ("liter", "liters"), ["ml"] = ("milliliter", "milliliters"),
        ["mL"] = ("milliliter", "milliliters"), ["gal"] = ("gallon", "gallons"), ["s"] = ("second", "seconds"), ["sec"] = ("second", "seconds"), ["ms"] = ("millisecond", "milliseconds"),
        ["min"] = ("minute", "minutes"), ["mins"] = ("minute", "minutes"), ["h"] = ("hour", "hours"), ["hr"] = ("hour", "hours"), ["hrs"] = ("hour", "hours"),
        ["km/h"] = ("kilometer per hour", "kilometers per hour"), ["kph"] = ("kilometer per hour", "kilometers per hour"), ["mph"] = ("mile per hour", "miles per hour"),
        ["m/s"] = ("meter per second", "meters per second"), ["Hz"] = ("hertz", "hertz"), ["kHz"] = ("kilohertz", "kilohertz"), ["MHz"] = ("megahertz", "megahertz"),
        ["GHz"] = ("gigahertz", "gigahertz"), ["kB"] = ("kilobyte", "kilobytes"), ["KB"] = ("kilobyte", "kilobytes"), ["MB"] = ("megabyte", "megabytes"), ["GB"] = ("gigabyte", "gigabytes"),
        ["TB"] = ("terabyte", "terabytes"), ["W"] = ("watt", "watts"), ["kW"] = ("kilowatt", "kilowatts"), ["MW"] = ("megawatt", "megawatts"), ["kWh"] = ("kilowatt hour", "kilowatt hours"),
        ["V"] = ("volt", "volts"), ["mA"] = ("milliamp", "milliamps"), ["dB"] = ("decibel", "decibels"), ["px"] = ("pixel", "pixels"), ["fps"] = ("frame per second", "frames per second"),
        ["rpm"] = ("revolution per minute", "revolutions per minute"), ["psi"] = ("pound per square inch", "pounds per square inch"), ["Mbps"] = ("megabit per second", "megabits per second"),
        ["m²"] = ("square meter", "square meters"), ["km²"] = ("square kilometer", "square kilometers"), ["cm²"] = ("square centimeter", "square centimeters"), ["m2"] = ("square meter", "square meters"),
        ["m³"] = ("cubic meter", "cubic meters"), ["cm³"] = ("cubic centimeter", "cubic centimeters"), ["°C"] = ("degree Celsius", "degrees Celsius"), ["℃"] = ("degree Celsius", "degrees Celsius"),
        ["°F"] = ("degree Fahrenheit", "degrees Fahrenheit"), ["℉"] = ("degree Fahrenheit", "degrees Fahrenheit"), ["°"] = ("degree", "degrees"),
        ["%"] = ("percent", "percent"), ["percent"] = ("percent", "percent"),
    };

    private static readonly Dictionary<string, string> s_vulgar = new(StringComparer.Ordinal)
    {
        ["½"] = "1/2", ["⅓"] = "1/3", ["⅔"] = "2/3", ["¼"] = "1/4", ["¾"] = "3/4", ["⅕"] = "1/5", ["⅖"] = "2/5", ["⅗"] = "3/5", ["⅘"] = "4/5", ["⅙"] = "1/6", ["⅚"] = "5/6", ["⅛"] = "1/8",
        ["⅜"] = "3/8", ["⅝"] = "5/8", ["⅞"] = "7/8",
    };

    /// <summary>Writes them out.</summary>
    public static string Expand(string text)
    {
        text = Vulgar().Replace(text, m => " " + s_vulgar[m.Value]);
        if (!text.AsSpan().ContainsAnyInRange('0', '9'))
            return text;
        text = MoneyRange().Replace(text, m => $"{EnglishNumbers.Number(m.Groups[2].Value)} to {m.Groups[1].Value}{m.Groups[3].Value}");
        text = MoneyBefore().Replace(text, m => Money(m.Groups[2].Value, m.Groups[1].Success, m.Groups[3].Value, m.Groups[4].Value, m.Groups[5].Value));
        text = MoneyAfter().Replace(text, m => Money(m.Groups[4].Value, false, m.Groups[1].Value, m.Groups[2].Value, m.Groups[3].Value));
        text = Height().Replace(text, m => $"{EnglishNumbers.Cardinal(m.Groups[1].ValueSpan)} feet {EnglishNumbers.Cardinal(m.Groups[2].ValueSpan)}");
        text = text.Replace("24/7", "twenty-four seven", StringComparison.Ordinal);
        text = Fraction().Replace(text, m => Fractional(m.Groups[1].ValueSpan, m.Groups[2].ValueSpan, m.Groups[3].ValueSpan));
        text = UnitRange().Replace(text, "$1 to $2");
        text = Size().Replace(text, "$1 by ");
        return Unit().Replace(text, m =>
        {
            var (one, many) = s_units[m.Groups[3].Value];
            return $"{m.Groups[1].Value}{m.Groups[2].Value} {(m.Groups[2].Value is "1" ? one : many)}";
        });
    }

    private static string Money(string currency, bool minus, string whole, string fraction, string scale)
    {
        var (one, many, cent, cents) = s_money[currency];
        whole = whole.Replace(",", "", StringComparison.Ordinal);
        var sign = minus ? "minus " : "";
        if (scale.Length > 0)
            return $"{sign}{EnglishNumbers.Number(fraction.Length > 0 ? $"{whole}.{fraction}" : whole)} {s_scales.GetValueOrDefault(scale, scale)} {many}";
        if (fraction.Length is not (0 or 2) || (fraction.Length == 2 && cent.Length == 0))
            return $"{sign}{EnglishNumbers.Number($"{whole}.{fraction}")} {many}";
        var coins = fraction.Length == 0 || fraction == "00" ? "" : $"{EnglishNumbers.Cardinal(fraction)} {(fraction == "01" ? cent : cents)}";
        if (coins.Length > 0 && whole.AsSpan().TrimStart('0').IsEmpty)
            return sign + coins;
        return $"{sign}{EnglishNumbers.Cardinal(whole)} {(whole == "1" ? one : many)}{(coins.Length > 0 ? " and " + coins : "")}";
    }

    private static string Fractional(ReadOnlySpan<char> whole, ReadOnlySpan<char> top, ReadOnlySpan<char> bottom)
    {
        var (n, d) = (int.Parse(top), int.Parse(bottom));
        if (d == 0 || d == 1 || (whole.IsEmpty && n > d && d > 10))
            return $"{EnglishNumbers.Cardinal(top)} over {EnglishNumbers.Cardinal(bottom)}";
        var part = d switch { 2 => n == 1 ? "half" : "halves", 4 => n == 1 ? "quarter" : "quarters", _ => EnglishNumbers.Ordinal(bottom) + (n == 1 ? "" : "s") };
        return whole.IsEmpty ? $"{EnglishNumbers.Cardinal(top)} {part}"
            : $"{EnglishNumbers.Cardinal(whole)} and {(n == 1 ? "a" : EnglishNumbers.Cardinal(top))} {part}";
    }

    [GeneratedRegex(@"[½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞]")]
    private static partial Regex Vulgar();

    [GeneratedRegex(@"(?<![\w])([$£€¥]) ?(\d{1,9}(?:\.\d{1,2})?) ?[-–—] ?[$£€¥]?(\d{1,9}(?!\d))")]
    private static partial Regex MoneyRange();

    [GeneratedRegex(@"(?<!\w)(-)?(US\$|C\$|A\$|[$£€¥₹₩]) ?" + Amount + Scale)]
    private static partial Regex MoneyBefore();

    [GeneratedRegex(@"(?<![\w.,])" + Amount + Scale + @" ?([€£]|(?:USD|EUR|GBP|JPY|CHF|CNY|RMB)(?!\w))")]
    private static partial Regex MoneyAfter();

    [GeneratedRegex(@"(?<![\w.])(\d)'(\d{1,2})(?:""|'')")]
    private static partial Regex Height();

    [GeneratedRegex(@"(?<![\d/.,\p{L}])(?:(\d{1,4}) )?(\d{1,3})/(\d{1,4})(?![\d/\p{L}]|[.,]\d)")]
    private static partial Regex Fraction();

    [GeneratedRegex(@"(?<![\w.,-])(\d{1,9}(?:\.\d{1,6})?) ?[-–—] ?(\d{1,9}(?:\.\d{1,6})?(?=%| ?(?:km|m|cm|mm|kg|g|mg|lbs?|mph|°)(?!\p{L})))")]
    private static partial Regex UnitRange();

    [GeneratedRegex(@"(?<![\w.])(\d{1,9}(?:\.\d{1,6})?) ?[x×] ?(?=\d)")]
    private static partial Regex Size();

    [GeneratedRegex(@"(?<![\w.,])([-−]?)(\d{1,3}(?:,\d{3}){1,6}(?:\.\d{1,9})?|\d{1,15}(?:\.\d{1,9})?)[ -]?(km/h|km²|km|kg|kHz|kph|kB|kWh|kW|KB|cm²|cm³|cm|m²|m³|m/s|m2|mm|mi|min|mins|mg|ml|mL|ms|mph|mA|m|MHz|MB|MW|Mbps|ft|fps|yd|gal|g|GHz|GB|lbs|lb|l|L|oz|hrs|hr|h|Hz|sec|s|TB|W|V|dB|px|psi|rpm|°C|°F|°|℃|℉|%)(?![\p{L}\d²³/])")]
    private static partial Regex Unit();
}
