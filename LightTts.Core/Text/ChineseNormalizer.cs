using System.Text.RegularExpressions;

namespace LightTts.Text;

/// <summary>Writes Chinese text as it is read aloud: numbers, dates, times, money, units, signs; then the reference's clean-up.</summary>
internal static partial class ChineseNormalizer
{
    private const string Figure = @"(\d{1,3}(?:,\d{3}){1,5}(?:\.\d{1,9})?|\d{1,20}(?:\.\d{1,9})?)";

    private static readonly Dictionary<string, string> s_money = new(StringComparer.Ordinal)
    {
        ["¥"] = "元", ["￥"] = "元", ["$"] = "美元", ["US$"] = "美元", ["HK$"] = "港元", ["€"] = "欧元", ["£"] = "英镑",
    };

    private static readonly Dictionary<string, string> s_units = new(StringComparer.Ordinal)
    {
        ["km/h"] = "公里每小时", ["m/s"] = "米每秒", ["km²"] = "平方公里", ["km"] = "公里", ["cm²"] = "平方厘米", ["cm"] = "厘米", ["mm"] = "毫米", ["m²"] = "平方米",
            ["m³"] = "立方米", ["m"] = "米",
        ["kg"] = "公斤", ["mg"] = "毫克", ["g"] = "克", ["t"] = "吨", ["ml"] = "毫升", ["mL"] = "毫升", ["L"] = "升", ["l"] = "升", ["h"] = "小时", ["min"] = "分钟",
        ["s"] = "秒", ["ms"] = "毫秒",
        ["℃"] = "摄氏度", ["°C"] = "摄氏度", ["℉"] = "华氏度", ["°F"] = "华氏度", ["°"] = "度", ["W"] = "瓦", ["kW"] = "千瓦", ["kWh"] = "千瓦时", ["V"] = "伏",
        ["Hz"] = "赫兹", ["kHz"] = "千赫",
        ["MHz"] = "兆赫", ["GHz"] = "吉赫", ["dB"] = "分贝",
    };

    private static readonly Dictionary<string, string> s_signs = new(StringComparer.Ordinal)
    {
        ["+"] = "加", ["="] = "等于", ["×"] = "乘以", ["÷"] = "除以", ["±"] = "正负", ["≈"] = "约等于", ["<"] = "小于", [">"] = "大于", ["≤"] = "小于等于",
            ["≥"] = "大于等于", ["≠"] = "不等于",
        ["&"] = "和", ["%"] = "百分号", ["℃"] = "摄氏度", ["°"] = "度", ["№"] = "号", ["²"] = "平方", ["³"] = "立方", ["$"] = "美元", ["€"] = "欧元", ["£"] = "英镑",
        ["¥"] = "元", ["￥"] = "元",
    };

    /// <summary>Whether Chinese has a word for a unit.</summary>
    public static bool IsUnit(ReadOnlySpan<char> unit) => s_units.GetAlternateLookup<ReadOnlySpan<char>>().ContainsKey(unit);

    /// <summary>Normalises a part of a text.</summary>
    public static string Normalize(string text)
    {
        text = EnglishAddresses.ExpandNames(TextCleaner.Clean(text));
        if (text.AsSpan().ContainsAnyInRange('0', '9'))
            text = ExpandNumbers(text);
        text = Pause().Replace(text, "，");
        text = Markup().Replace(text, "");
        text = Sign().Replace(text, m => s_signs[m.Value]);
        return Blanks().Replace(ReferenceNormalizer.CleanChinese(text), " ");
    }

    private static string ExpandNumbers(string text)
    {
        text = YearFirst().Replace(text, m =>
            $"{ChineseNumbers.Digits(m.Groups[1].ValueSpan)}年{ChineseNumbers.Cardinal(m.Groups[2].ValueSpan)}月"
            + $"{ChineseNumbers.Cardinal(m.Groups[3].ValueSpan)}日");
        text = Year().Replace(text, m => ChineseNumbers.Digits(m.ValueSpan));
        text = Clock().Replace(text, m => Time(m.Groups[1].ValueSpan, m.Groups[2].ValueSpan, m.Groups[3].ValueSpan));
        text = Score().Replace(text, "$1比");
        text = Phone().Replace(text, m => ChineseNumbers.Digits(m.ValueSpan));
        text = Money().Replace(text, m =>
            $"{(m.Groups[1].Success ? "负" : "")}{ChineseNumbers.Number(m.Groups[3].Value)}{m.Groups[4].Value}{s_money[m.Groups[2].Value]}");
        text = PercentRange().Replace(text, m => $"百分之{ChineseNumbers.Number(m.Groups[1].Value)}到百分之{ChineseNumbers.Number(m.Groups[2].Value)}");
        text = Percent().Replace(text, m =>
            $"{(m.Groups[3].Value == "%" ? "百分之" : "千分之")}{(m.Groups[1].Success ? "负" : "")}{ChineseNumbers.Number(m.Groups[2].Value)}");
        text = Fraction().Replace(text, m => $"{ChineseNumbers.Cardinal(m.Groups[2].ValueSpan)}分之{ChineseNumbers.Cardinal(m.Groups[1].ValueSpan)}");
        text = Span().Replace(text, "$1到");
        text = Negative().Replace(text, "负");
        text = Unit().Replace(text, m => Count(m.Groups[1].Value) + s_units[m.Groups[2].Value]);
        text = Two().Replace(text, "两");
        return Number().Replace(text, m => ChineseNumbers.Number(m.Value));
    }

    private static string Count(string number) => number == "2" ? "两" : ChineseNumbers.Number(number);

    private static string Time(ReadOnlySpan<char> hour, ReadOnlySpan<char> minute, ReadOnlySpan<char> second)
    {
        var words = ChineseNumbers.Cardinal(hour) is "二" ? "两点" : ChineseNumbers.Cardinal(hour) + "点";
        if (minute is not "00" || second.Length > 0)
            words += (minute[0] == '0' && minute[1] != '0' ? "零" : "") + ChineseNumbers.Cardinal(minute) + "分";
        return second.Length > 0 ? $"{words}{(second[0] == '0' && second[1] != '0' ? "零" : "")}{ChineseNumbers.Cardinal(second)}秒" : words;
    }

    [GeneratedRegex(@"(?<![\d.])(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[日号])?(?![\d.])")]
    private static partial Regex YearFirst();

    [GeneratedRegex(@"(?<![\d.,])(?:[12]\d{3}(?=年(?!前|后|内|间))|[1-9]0(?=年代))")]
    private static partial Regex Year();

    [GeneratedRegex(@"(?<![\d:：])([01]?\d|2[0-4])[:：]([0-5]\d)(?:[:：]([0-5]\d))?(?![\d:：])")]
    private static partial Regex Clock();

    [GeneratedRegex(@"(?<![\d:：.])(\d{1,3})[:：](?=\d{1,3}(?![\d:：.]))")]
    private static partial Regex Score();

    [GeneratedRegex(@"(?<![\d.,])(?:\+?86[ -]?)?(?:1[3-9]\d[ -]?\d{4}[ -]?\d{4}|0\d{2,3}-\d{7,8}|[48]00-?\d{3}-?\d{4})(?![\d.])|(?<=(?:拨打|打电话|电话|报警"
        + @"|热线)[：:]?)\d{3,8}(?![\d.,])")]
    private static partial Regex Phone();

    [GeneratedRegex(@"(-)?(US\$|HK\$|[¥￥$€£]) ?" + Figure + "(万亿|万|亿|千|百)?")]
    private static partial Regex Money();

    [GeneratedRegex(@"(\d{1,9}(?:\.\d{1,9})?)%? ?[-~～–—至到] ?(\d{1,9}(?:\.\d{1,9})?)%")]
    private static partial Regex PercentRange();

    [GeneratedRegex(@"(?<!\d)(-)?" + Figure + " ?([%‰])")]
    private static partial Regex Percent();

    [GeneratedRegex(@"(?<![\d/.])(\d{1,6})/(\d{1,6})(?![\d/.])")]
    private static partial Regex Fraction();

    [GeneratedRegex(@"(?<![\d\p{L}-])(\d{1,12}(?:\.\d{1,9})?[\p{IsCJKUnifiedIdeographs}℃°]?) ?[-~～–—] ?(?=\d)")]
    private static partial Regex Span();

    [GeneratedRegex(@"(?<![\d\p{L}])-(?=\d)|(?<=[\p{IsCJKUnifiedIdeographs}])-(?=\d)")]
    private static partial Regex Negative();

    [GeneratedRegex(Figure
        + @" ?(km/h|km²|km|kg|kHz|kWh|kW|cm²|cm|mm|min|mg|ml|mL|ms|m²|m³|m/s|m|MHz|GHz|g|h|Hz|s|t|L|l|W|V|dB|℃|°C|℉|°F|°)(?![A-Za-z\d²³/])")]
    private static partial Regex Unit();

    // The counting form of two, before measure words.
    [GeneratedRegex(@"(?<![\d.,第点零一二三四五六七八九十百])2(?=[个只本张条件位名次天年块元辆台杯碗瓶双对间套岁种些点倍万亿千口家门封支把座层棵遍人])(?!年代|点\d)")]
    private static partial Regex Two();

    [GeneratedRegex(Figure)]
    private static partial Regex Number();

    [GeneratedRegex(@"\.{2,}|…+")]
    private static partial Regex Pause();

    [GeneratedRegex(@"[*_~|\\{}#^\[\]•·]")]
    private static partial Regex Markup();

    [GeneratedRegex(@"[+=×÷±≈<>≤≥≠&%℃°№²³$€£¥￥]")]
    private static partial Regex Sign();

    [GeneratedRegex(@" {2,}")]
    private static partial Regex Blanks();
}
