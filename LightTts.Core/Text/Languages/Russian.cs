using System.Text.RegularExpressions;
using static LightTts.Text.Languages.FigurePattern;

namespace LightTts.Text.Languages;

/// <summary>Russian figures. Cases follow what stands right beside a figure (months, years, endings after a hyphen); otherwise the nominative
/// is spoken.</summary>
internal sealed class Russian() : FigureReader(s_currencies, s_units, s_signs)
{
    private static readonly string[] s_small =
        ["ноль", "один", "два", "три", "четыре", "пять", "шесть", "семь", "восемь", "девять", "десять", "одиннадцать", "двенадцать", "тринадцать",
            "четырнадцать", "пятнадцать", "шестнадцать", "семнадцать", "восемнадцать", "девятнадцать"];
    private static readonly string[] s_tens =
        ["", "", "двадцать", "тридцать", "сорок", "пятьдесят", "шестьдесят", "семьдесят", "восемьдесят", "девяносто"];
    private static readonly string[] s_hundreds =
        ["", "сто", "двести", "триста", "четыреста", "пятьсот", "шестьсот", "семьсот", "восемьсот", "девятьсот"];

    // Stems of ordinals; those with a mark have a stressed ending.
    private static readonly string[] s_ordinals =
        ["нулев*", "перв", "втор*", "трет", "четвёрт", "пят", "шест*", "седьм*", "восьм*", "девят", "десят", "одиннадцат", "двенадцат", "тринадцат",
            "четырнадцат", "пятнадцат", "шестнадцат", "семнадцат", "восемнадцат", "девятнадцат"];
    private static readonly string[] s_ordinalTens =
        ["", "", "двадцат", "тридцат", "сороков*", "пятидесят", "шестидесят", "семидесят", "восьмидесят", "девяност"];
    private static readonly string[] s_ordinalHundreds =
        ["", "сот", "двухсот", "трёхсот", "четырёхсот", "пятисот", "шестисот", "семисот", "восьмисот", "девятисот"];
    private static readonly string[] s_months =
        ["января", "февраля", "марта", "апреля", "мая", "июня", "июля", "августа", "сентября", "октября", "ноября", "декабря"];

    private static readonly Noun s_thousand = new("тысяча", "тысяч", 'f', "тысячи");
    private static readonly Noun s_kopeck = new("копейка", "копеек", 'f', "копейки");
    private static readonly Noun s_cent = new("цент", "центов", 'm', "цента");
    private static readonly Noun s_rouble = new("рубль", "рублей", 'm', "рубля", s_kopeck);
    private static readonly Noun s_dollar = new("доллар", "долларов", 'm', "доллара", s_cent);
    private static readonly Noun s_euro = new("евро", "евро", 'm', "евро", s_cent);
    private static readonly Noun s_hour = new("час", "часов", 'm', "часа");
    private static readonly Noun s_minute = new("минута", "минут", 'f', "минуты");
    private static readonly Noun s_second = new("секунда", "секунд", 'f', "секунды");
    private static readonly Noun s_million = new("миллион", "миллионов", 'm', "миллиона");
    private static readonly Noun s_milliard = new("миллиард", "миллиардов", 'm', "миллиарда");
    private static readonly Noun s_billion = new("триллион", "триллионов", 'm', "триллиона");
    private static readonly Noun s_percentNoun = new("процент", "процентов", 'm', "процента");
    private static readonly Noun s_permille = new("промилле", "промилле", 'n', "промилле");

    private static readonly Dictionary<string, Noun> s_currencies = new(StringComparer.Ordinal)
    {
        ["₽"] = s_rouble, ["руб."] = s_rouble, ["руб"] = s_rouble, ["р."] = s_rouble, ["$"] = s_dollar, ["USD"] = s_dollar, ["€"] = s_euro,
        ["EUR"] = s_euro, ["£"] = new("фунт", "фунтов", 'm', "фунта", new("пенс", "пенсов", 'm', "пенса")), ["¥"] = new("иена", "иен", 'f', "иены"),
        ["коп."] = s_kopeck, ["тыс. руб."] = new("тысяча рублей", "тысяч рублей", 'f', "тысячи рублей"),
        ["млн руб."] = new("миллион рублей", "миллионов рублей", 'm', "миллиона рублей"),
    };

    private static readonly Dictionary<string, Noun> s_units = new(StringComparer.Ordinal)
    {
        ["км"] = new("километр", "километров", 'm', "километра"), ["м"] = new("метр", "метров", 'm', "метра"),
        ["см"] = new("сантиметр", "сантиметров", 'm', "сантиметра"), ["мм"] = new("миллиметр", "миллиметров", 'm', "миллиметра"),
        ["км²"] = new("квадратный километр", "квадратных километров", 'm', "квадратных километра"),
        ["м²"] = new("квадратный метр", "квадратных метров", 'm', "квадратных метра"),
        ["м³"] = new("кубический метр", "кубических метров", 'm', "кубических метра"), ["га"] = new("гектар", "гектаров", 'm', "гектара"),
        ["км/ч"] = new("километр в час", "километров в час", 'm', "километра в час"),
        ["м/с"] = new("метр в секунду", "метров в секунду", 'm', "метра в секунду"),
        ["кг"] = new("килограмм", "килограммов", 'm', "килограмма"), ["г"] = new("грамм", "граммов", 'm', "грамма"),
        ["мг"] = new("миллиграмм", "миллиграммов", 'm', "миллиграмма"), ["т"] = new("тонна", "тонн", 'f', "тонны"),
        ["л"] = new("литр", "литров", 'm', "литра"), ["мл"] = new("миллилитр", "миллилитров", 'm', "миллилитра"), ["ч"] = s_hour, ["мин"] = s_minute,
        ["с"] = s_second, ["сек"] = s_second, ["°C"] = new("градус Цельсия", "градусов Цельсия", 'm', "градуса Цельсия"),
        ["°"] = new("градус", "градусов", 'm', "градуса"), ["Вт"] = new("ватт", "ватт", 'm', "ватта"), ["кВт"] = new("киловатт", "киловатт", 'm',
            "киловатта"),
        ["В"] = new("вольт", "вольт", 'm', "вольта"), ["Гц"] = new("герц", "герц", 'm', "герца"), ["МБ"] = new("мегабайт", "мегабайт", 'm',
            "мегабайта"),
        ["ГБ"] = new("гигабайт", "гигабайт", 'm', "гигабайта"), ["тыс."] = s_thousand, ["млн"] = s_million, ["млрд"] = s_milliard,
        ["чел."] = new("человек", "человек", 'm', "человека"), ["шт."] = new("штука", "штук", 'f', "штуки"),
    };

    private static readonly Dictionary<string, string> s_signs = new(StringComparer.Ordinal)
    {
        ["&"] = "и", ["+"] = "плюс", ["="] = "равно", ["×"] = "умножить на", ["÷"] = "разделить на", ["№"] = "номер", ["§"] = "параграф",
        ["₽"] = "рублей", ["€"] = "евро", ["$"] = "долларов", ["%"] = "процентов",
    };

    private static readonly Regex s_numericDate = Pattern(@"(?<![\d.])(\d{1,2})\.(\d{1,2})\.(\d{4})(?![\d.]\d)(\s?г\.|\sгода)?");
    private static readonly Regex s_namedDate =
        Pattern($@"(?<![\d.,])(\d{{1,2}})(?:-го)?\s({string.Join('|', s_months)})(?:\s(\d{{4}})(\s?г\.|\sгода)?)?(?!\p{{L}})");
    private static readonly Regex s_year = Pattern(@"(?<![\d.,-])(\d{3,4})(?:-й|-го|-м|-му)?\s?(год[ауе]?|годом|гг?\.)(?!\p{L})");
    private static readonly Regex s_ordinal = Pattern(@"(?<![\p{L}\d.,])(\d{1,4})-(й|ый|ой|ий|я|ая|е|ое|го|ого|му|ому|м|ом|х|ых|ую|ю|ые)(?!\p{L})");
    private static readonly Regex s_ago = Pattern(@"(?<![\d.,-])(\d{1,2})\s?ч\.?\s(\d{1,2})\s?мин\.?(?!\p{L})");

    protected override string To => "до";

    protected override string Minus => "минус";

    protected override string Point => "запятая";

    protected override string And => " ";

    protected override string ReadOwn(string text)
    {
        text = s_numericDate.Replace(text, m => IsDate(m, 1, 2) ? Date(Int(m, 1), Int(m, 2), Int(m, 3), m) : m.Value);
        text = s_namedDate.Replace(text, m => Int(m, 1) is >= 1 and <= 31
            ? Date(Int(m, 1), Array.IndexOf(s_months, m.Groups[2].Value) + 1, m.Groups[3].Success ? Int(m, 3) : null, m) : m.Value);
        text = s_year.Replace(text, m => m.Groups[2].Value switch
        {
            "года" => Ordinal(Int(m, 1), "го") + " года",
            "г." when WordBefore(text, m.Index) is "в" or "во" => Ordinal(Int(m, 1), "м") + " году",
            "г." => Ordinal(Int(m, 1), "го") + " года",
            "году" => WordBefore(text, m.Index) == "к" ? Ordinal(Int(m, 1), "му") + " году" : Ordinal(Int(m, 1), "м") + " году",
            "годом" => Ordinal(Int(m, 1), "ым") + " годом",
            "год" => Ordinal(Int(m, 1), "й") + " год",
            var other => m.Groups[1].Value + " " + other,
        });
        text = s_ago.Replace(text, m => $"{Count(Int(m, 1), s_hour)} {Count(Int(m, 2), s_minute)}");
        return s_ordinal.Replace(text, m => Ordinal(Int(m, 1), m.Groups[2].Value));
    }

    protected override string Date(int day, int month, int? year, Match match) =>
        $"{Ordinal(day, "го")} {s_months[month - 1]}{(year is { } value ? $" {Ordinal(value, "го")} года" : "")}";

    protected override string Time(int hour, int minute, int? second, Match match)
    {
        if (second is { } seconds)
            return $"{Count(hour, s_hour)} {Count(minute, s_minute)} {Count(seconds, s_second)}";
        return minute == 0 ? Count(hour, s_hour) : Cardinal(hour) + (minute < 10 ? " ноль " : " ") + Cardinal(minute);
    }

    protected override string Percent(string number, bool mille) => Counted(number, mille ? s_permille : s_percentNoun);

    protected override string Counted(string number, Noun noun)
    {
        if (Parse(number) is not { Whole: { } whole, Fraction: { } fraction, Negative: var negative })
            return base.Counted(number, noun);
        return (negative ? Minus + " " : "") + $"{Decimal(whole, fraction)} {noun.Few}";
    }

    protected override string Count(long number, Noun noun) => $"{Cardinal(number, noun.Gender)} {Form(number, noun)}";

    protected override string Plain(Match match, string text)
    {
        var (whole, fraction, negative) = Parse(match.Value);
        if (whole is not { } value)
            return Digits(match.Value);
        var sign = negative ? Minus + " " : "";
        if (fraction is not null)
            return sign + Decimal(value, fraction);
        // After one and two the noun's ending shows its gender: "одна книга", "две книги", "два стола".
        var next = WordAfter(text, match.Index + match.Length);
        var gender = (value % 100 is 11 or 12 ? 0 : value % 10) switch
        {
            1 when next.Length > 2 && next[^1] is 'а' or 'я' => 'f',
            1 when next.Length > 2 && next[^1] is 'о' or 'е' => 'n',
            2 when next.Length > 2 && next[^1] is 'ы' or 'и' => 'f',
            _ => 'm',
        };
        return sign + Cardinal(value, gender);
    }

    protected override string Cardinal(long number, char gender = 's')
    {
        if (number < 1000)
            return Below(number, gender);
        foreach (var (size, noun) in new[] { (1_000_000_000_000, s_billion), (1_000_000_000, s_milliard), (1_000_000L, s_million), (1000L,
            s_thousand) })
        {
            if (number < size)
                continue;
            var (high, low) = (number / size, number % size);
            var words = high == 1 ? noun.One : $"{Below(high, noun.Gender)} {Form(high, noun)}";
            return low == 0 ? words : $"{words} {Cardinal(low, gender)}";
        }
        return "";
    }

    private static string Below(long number, char gender)
    {
        var words = new List<string>(3);
        if (number >= 100)
            words.Add(s_hundreds[number / 100]);
        var rest = number % 100;
        if (rest >= 20)
        {
            words.Add(s_tens[rest / 10]);
            rest %= 10;
        }
        if (rest > 0 || number == 0)
            words.Add((rest, gender) switch
            {
                (1, 'f') => "одна", (1, 'n') => "одно", (2, 'f') => "две", _ => s_small[rest],
            });
        return string.Join(' ', words);
    }

    private static string Form(long number, Noun noun)
    {
        var (ones, tens) = (number % 10, number % 100);
        return tens is >= 11 and <= 14 || ones is 0 or >= 5 ? noun.Many : ones == 1 ? noun.One : noun.Few!;
    }

    /// <summary>Две целых пять десятых; beyond thousandths digit by digit.</summary>
    private string Decimal(long whole, string fraction)
    {
        if (fraction.Length > 3)
            return $"{Cardinal(whole)} {Point} {Digits(fraction)}";
        var part = long.Parse(fraction, System.Globalization.CultureInfo.InvariantCulture);
        var (one, many) = fraction.Length switch
        {
            1 => ("десятая", "десятых"), 2 => ("сотая", "сотых"), _ => ("тысячная", "тысячных"),
        };
        return $"{Cardinal(whole, 'f')} {(IsOne(whole) ? "целая" : "целых")} {Cardinal(part, 'f')} {(IsOne(part) ? one : many)}";

        static bool IsOne(long number) => number % 10 == 1 && number % 100 != 11;
    }

    private string Ordinal(int number, string ending)
    {
        var rest = number % 100;
        string before, stem;
        if (rest is > 0 and < 20)
            (before, stem) = (Before(number - rest), s_ordinals[rest]);
        else if (rest >= 20)
            (before, stem) = rest % 10 == 0 ? (Before(number - rest), s_ordinalTens[rest / 10])
                : (Before(number - rest % 10), s_ordinals[rest % 10]);
        else if (number % 1000 != 0)
            (before, stem) = (Before(number - number % 1000), s_ordinalHundreds[number % 1000 / 100]);
        else
            (before, stem) = number == 0 ? ("", s_ordinals[0]) : ("", (number / 1000) switch
            {
                1 => "тысячн", 2 => "двухтысячн", 3 => "трёхтысячн", 4 => "четырёхтысячн", 5 => "пятитысячн", 6 => "шеститысячн", 7 => "семитысячн",
                8 => "восьмитысячн", _ => "девятитысячн",
            });
        return before + Inflect(stem, ending);
    }

    private string Before(int number) => number == 0 ? "" : Cardinal(number) + " ";

    private static string Inflect(string stem, string ending)
    {
        var stressed = stem.EndsWith('*');
        stem = stem.TrimEnd('*');
        var third = stem == "трет";
        return stem + ending switch
        {
            "я" or "ая" => third ? "ья" : "ая",
            "е" or "ое" => third ? "ье" : "ое",
            "ые" => third ? "ьи" : "ые",
            "го" or "ого" => third ? "ьего" : "ого",
            "му" or "ому" => third ? "ьему" : "ому",
            "м" or "ом" => third ? "ьем" : "ом",
            "ым" => third ? "ьим" : "ым",
            "х" or "ых" => third ? "ьих" : "ых",
            "ую" or "ю" => third ? "ью" : "ую",
            _ => third ? "ий" : stressed ? "ой" : "ый",
        };
    }
}
