using System.Text;
using System.Text.RegularExpressions;
using static LightTts.Text.Languages.EasternFigures;
using static LightTts.Text.Languages.FigurePattern;

namespace LightTts.Text.Languages;

/// <summary>Japanese figures, written out in Chinese characters with the words for signs and units in katakana: how they are pronounced before
/// a counter is left to whoever reads Japanese.</summary>
internal static class Japanese
{
    private const string Figures = "〇一二三四五六七八九";

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

    private static readonly Regex s_date = Pattern(@"(?<!\d)(\d{4})[/\-](\d{1,2})[/\-](\d{1,2})(?!\d)");
    private static readonly Regex s_time = Pattern(@"(?<![\d:])([01]?\d|2[0-4])[:：]([0-5]\d)(?:[:：]([0-5]\d))?(?![\d:])");
    private static readonly Regex s_speed = Pattern($@"(?:時速)?({Number})\s?km/h");
    private static readonly Regex s_fraction = Pattern(@"(?<![\d/])(\d{1,3})/(\d{1,3})(?![\d/])");
    private static readonly Regex s_range = Pattern(@"(?<=\d(?:\p{L}{1,2}|[%％])?)\s?[〜～]\s?(?=\d)");
    private static readonly Regex s_moneyFirst = Pattern($@"(US\$|(?<!US)[¥￥$€£₩])\s?({Number})(万|億)?");
    private static readonly Regex s_moneyLast = Pattern($@"({Number})\s?(US\$|[$€£₩])");
    private static readonly Regex s_unit = Pattern($@"({Number})\s?({Alternatives(s_units.Keys)})(?![A-Za-z²³])");
    private static readonly Regex s_phone = Pattern(@"(?<!\d)0\d{1,4}-\d{1,4}-\d{3,4}(?!\d)");
    private static readonly Regex s_number = Pattern(Number);
    private static readonly Regex s_blanks = Pattern(@"(?<=[^\x00-\x7F]) {1,9}(?=[^\x00-\x7F])");
    private static readonly Regex s_signPattern = Pattern($@"(?<=[\d\p{{L}}])\s?({Alternatives(s_signs.Keys)})\s?(?=[\d\p{{L}}])|№");

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

    private static string Spoken(string number)
    {
        var (negative, whole, isCode, fraction) = Parse(number);
        var words = isCode ? Digits(whole) : Cardinal(whole);
        return (negative ? "マイナス" : "") + words + (fraction is null ? "" : "点" + Digits(fraction));
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
}
