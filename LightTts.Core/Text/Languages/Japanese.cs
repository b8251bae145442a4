using System.Text;
using System.Text.RegularExpressions;

namespace LightTts.Text.Languages;

/// <summary>Japanese figures, written out in Chinese characters with the words for signs and units in katakana: how they are pronounced before
/// a counter is left to whoever reads Japanese.</summary>
internal static class Japanese
{
    private const string Figures = "〇一二三四五六七八九";
    private const string Number = @"(?<![\d.])(?:(?<![\d\p{L}])[-−])?(?:\d{1,3}(?:,\d{3}){1,4}|\d{1,20})(?:\.\d{1,9})?";

    private static readonly Dictionary<string, string> s_units = new(StringComparer.Ordinal)
    {
        ["km"] = "キロメートル", ["m"] = "メートル", ["cm"] = "センチメートル", ["mm"] = "ミリメートル", ["km²"] = "平方キロメートル", ["m²"] = "平方メートル",
        ["㎡"] = "平方メートル", ["m³"] = "立方メートル", ["ha"] = "ヘクタール", ["kg"] = "キログラム", ["g"] = "グラム", ["mg"] = "ミリグラム", ["t"] = "トン",
        ["l"] = "リットル", ["L"] = "リットル", ["ml"] = "ミリリットル", ["mL"] = "ミリリットル", ["℃"] = "度", ["°C"] = "度", ["°"] = "度", ["W"] = "ワット",
        ["kW"] = "キロワット", ["kWh"] = "キロワット時", ["V"] = "ボルト", ["Hz"] = "ヘルツ", ["MHz"] = "メガヘルツ", ["GHz"] = "ギガヘルツ", ["MB"] = "メガバイト",
        ["GB"] = "ギガバイト", ["TB"] = "テラバイト", ["%"] = "パーセント", ["％"] = "パーセント", ["‰"] = "パーミル",
    };

    private static readonly Dictionary<string, string> s_money = new(StringComparer.Ordinal)
    {
        ["¥"] = "円", ["￥"] = "円", ["$"] = "ドル", ["US$"] = "ドル", ["€"] = "ユーロ", ["£"] = "ポンド", ["₩"] = "ウォン",
    };

    private static readonly Dictionary<string, string> s_signs = new(StringComparer.Ordinal)
    {
        ["+"] = "たす", ["="] = "は", ["×"] = "かける", ["÷"] = "わる", ["&"] = "アンド", ["№"] = "ナンバー",
    };

    private static readonly Regex s_date = new(@"(?<!\d)(\d{4})[/\-](\d{1,2})[/\-](\d{1,2})(?!\d)", RegexOptions.CultureInvariant);
    private static readonly Regex s_time = new(@"(?<![\d:])([01]?\d|2[0-4])[:：]([0-5]\d)(?:[:：]([0-5]\d))?(?![\d:])", RegexOptions.CultureInvariant);
    private static readonly Regex s_speed = new($@"(?:時速)?({Number})\s?km/h", RegexOptions.CultureInvariant);
    private static readonly Regex s_fraction = new(@"(?<![\d/])(\d{1,3})/(\d{1,3})(?![\d/])", RegexOptions.CultureInvariant);
    private static readonly Regex s_range = new(@"(?<=\d(?:\p{L}{1,2}|[%％])?)\s?[〜～]\s?(?=\d)", RegexOptions.CultureInvariant);
    private static readonly Regex s_moneyFirst = new($@"(US\$|(?<!US)[¥￥$€£₩])\s?({Number})(万|億)?", RegexOptions.CultureInvariant);
    private static readonly Regex s_moneyLast = new($@"({Number})\s?(US\$|[$€£₩])", RegexOptions.CultureInvariant);
    private static readonly Regex s_unit =
        new($@"({Number})\s?({Alternatives(s_units.Keys)})(?![A-Za-z²³])", RegexOptions.CultureInvariant);
    private static readonly Regex s_phone = new(@"(?<!\d)0\d{1,4}-\d{1,4}-\d{3,4}(?!\d)", RegexOptions.CultureInvariant);
    private static readonly Regex s_number = new(Number, RegexOptions.CultureInvariant);
    private static readonly Regex s_blanks = new(@"(?<=[^\x00-\x7F]) {1,9}(?=[^\x00-\x7F])", RegexOptions.CultureInvariant);
    private static readonly Regex s_signPattern = new($@"(?<=[\d\p{{L}}])\s?({Alternatives(s_signs.Keys)})\s?(?=[\d\p{{L}}])|№",
        RegexOptions.CultureInvariant);

    /// <summary>Writes a text out.</summary>
    public static string Read(string text)
    {
        text = s_signPattern.Replace(text, m => s_signs[m.Value.Trim()]);
        if (!text.AsSpan().ContainsAnyInRange('0', '9'))
            return text;
        text = s_phone.Replace(text, m => string.Join('の', m.Value.Split('-').Select(Digits)));
        text = s_date.Replace(text, m => $"{Spoken(m.Groups[1].Value)}年{Spoken(Bare(m.Groups[2].Value))}月{Spoken(Bare(m.Groups[3].Value))}日");
        text = s_time.Replace(text, m => $"{Spoken(Bare(m.Groups[1].Value))}時"
            + (m.Groups[2].Value == "00" ? "" : $"{Spoken(Bare(m.Groups[2].Value))}分") + (m.Groups[3].Success
            ? $"{Spoken(Bare(m.Groups[3].Value))}秒" : ""));
        text = s_speed.Replace(text, m => $"時速{Spoken(m.Groups[1].Value)}キロメートル");
        text = s_range.Replace(text, "から");
        text = s_moneyFirst.Replace(text, m => Spoken(m.Groups[2].Value) + m.Groups[3].Value + s_money[m.Groups[1].Value]);
        text = s_moneyLast.Replace(text, m => Spoken(m.Groups[1].Value) + s_money[m.Groups[2].Value]);
        text = s_unit.Replace(text, m => Spoken(m.Groups[1].Value) + s_units[m.Groups[2].Value]);
        text = s_fraction.Replace(text, m => $"{Spoken(m.Groups[2].Value)}分の{Spoken(m.Groups[1].Value)}");
        text = s_number.Replace(text, m => Spoken(m.Value));
        return s_blanks.Replace(text, "");
    }

    private static string Bare(string digits) => digits.TrimStart('0') is { Length: > 0 } bare ? bare : "0";

    private static string Spoken(string number)
    {
        var negative = number[0] is '-' or '−';
        number = (negative ? number[1..] : number).Replace(",", "", StringComparison.Ordinal);
        var point = number.IndexOf('.', StringComparison.Ordinal);
        var whole = point < 0 ? number : number[..point];
        var words = (whole.Length > 1 && whole[0] == '0') || whole.Length > 16 ? Digits(whole) : Cardinal(whole);
        return (negative ? "マイナス" : "") + words + (point < 0 ? "" : "点" + Digits(number[(point + 1)..]));
    }

    /// <summary>千二百三十四, 一万: a one is spoken before ten thousands only.</summary>
    private static string Cardinal(string digits)
    {
        if (digits.All(digit => digit == '0'))
            return "ゼロ";
        var words = new StringBuilder();
        var inGroup = false;
        for (var i = 0; i < digits.Length; i++)
        {
            var (place, digit) = (digits.Length - 1 - i, digits[i] - '0');
            if (digit > 0)
            {
                if (digit > 1 || place % 4 == 0)
                    words.Append(Figures[digit]);
                words.Append((place % 4) switch { 1 => "十", 2 => "百", 3 => "千", _ => "" });
                inGroup = true;
            }
            if (place % 4 != 0)
                continue;
            if (inGroup)
                words.Append((place / 4) switch { 1 => "万", 2 => "億", 3 => "兆", _ => "" });
            inGroup = false;
        }
        return words.ToString();
    }

    private static string Digits(string text) => string.Concat(text.Where(char.IsAsciiDigit).Select(digit => digit == '0' ? 'ゼ'
        : Figures[digit - '0']))
        .Replace("ゼ", "ゼロ", StringComparison.Ordinal);

    private static string Alternatives(IEnumerable<string> texts) =>
        string.Join('|', texts.OrderByDescending(text => text.Length).Select(Regex.Escape));
}
