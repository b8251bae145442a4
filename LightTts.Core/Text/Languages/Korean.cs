using System.Text;
using System.Text.RegularExpressions;
using static LightTts.Text.Languages.EasternFigures;
using static LightTts.Text.Languages.FigurePattern;

namespace LightTts.Text.Languages;

/// <summary>Korean figures: native numbers before the counters that want them, Sino-Korean ones elsewhere.</summary>
internal static class Korean
{
    private static readonly string[] s_figures = ["영", "일", "이", "삼", "사", "오", "육", "칠", "팔", "구"];
    private static readonly string[] s_nativeOnes = ["", "한", "두", "세", "네", "다섯", "여섯", "일곱", "여덟", "아홉"];
    private static readonly string[] s_nativeTens = ["", "열", "스물", "서른", "마흔", "쉰", "예순", "일흔", "여든", "아흔"];

    // Counters of native numbers.
    private static readonly string[] s_counters =
        ["시간", "개월째", "개", "명", "살", "마리", "권", "잔", "병", "번째", "번", "장", "대", "송이", "그루", "켤레", "가지", "달", "군데", "사람", "분께", "그릇", "벌", "채",
            "자루", "통", "곳", "쌍", "시"];

    private static readonly string[] s_particles =
        ["입니다", "이다", "이고", "이며", "이에요", "예요", "에서", "에게", "으로", "부터", "까지", "보다", "은", "는", "이", "가", "을", "를", "에", "의", "로", "와", "과", "만"];

    private static readonly Dictionary<string, string> s_units = new(StringComparer.Ordinal)
    {
        ["km"] = "킬로미터", ["m"] = "미터", ["cm"] = "센티미터", ["mm"] = "밀리미터", ["km²"] = "제곱킬로미터", ["m²"] = "제곱미터", ["㎡"] = "제곱미터",
        ["m³"] = "세제곱미터", ["ha"] = "헥타르", ["kg"] = "킬로그램", ["g"] = "그램", ["mg"] = "밀리그램", ["t"] = "톤", ["l"] = "리터", ["L"] = "리터", ["ml"] = "밀리리터",
        ["mL"] = "밀리리터", ["℃"] = "도", ["°C"] = "도", ["°"] = "도", ["W"] = "와트", ["kW"] = "킬로와트", ["kWh"] = "킬로와트시", ["V"] = "볼트", ["Hz"] = "헤르츠",
        ["MHz"] = "메가헤르츠", ["GHz"] = "기가헤르츠", ["MB"] = "메가바이트", ["GB"] = "기가바이트", ["TB"] = "테라바이트", ["%"] = "퍼센트", ["‰"] = "퍼밀",
        ["km/h"] = "킬로미터 매 시",
    };

    private static readonly Dictionary<string, string> s_money = new(StringComparer.Ordinal)
    {
        ["₩"] = "원", ["$"] = "달러", ["US$"] = "달러", ["€"] = "유로", ["£"] = "파운드", ["¥"] = "엔",
    };

    private static readonly Dictionary<string, string> s_signs = new(StringComparer.Ordinal)
    {
        ["+"] = "더하기", ["="] = "는", ["×"] = "곱하기", ["÷"] = "나누기", ["&"] = "앤드",
    };

    private static readonly Regex s_date = Pattern(@"(?<!\d)(\d{4})\s?[./\-]\s?(\d{1,2})\s?[./\-]\s?(\d{1,2})(?!\d)");
    private static readonly Regex s_time = Pattern(@"(?<![\d:])([01]?\d|2[0-4]):([0-5]\d)(?::([0-5]\d))?(?![\d:])");
    private static readonly Regex s_speed = Pattern($@"(?:시속\s?)?({Number})\s?km/h");
    private static readonly Regex s_fraction = Pattern(@"(?<![\d/])(\d{1,3})/(\d{1,3})(?![\d/])");
    private static readonly Regex s_range = Pattern(@"(?<=\d(?:\p{L}{1,2}|%)?)\s?[~∼〜]\s?(?=\d)");
    private static readonly Regex s_moneyFirst = Pattern($@"(US\$|[₩$€£¥])\s?({Number})");
    private static readonly Regex s_moneyLast = Pattern($@"({Number})\s?(US\$|[$€£¥])");
    private static readonly Regex s_unit = Pattern($@"({Number})\s?({Alternatives(s_units.Keys)})(?![A-Za-z²³])");
    private static readonly Regex s_month = Pattern(@"(?<!\d)(1[0-2]|0?[1-9])월");
    private static readonly Regex s_count = Pattern($@"(제\s?)?(?<![\d.,])(\d{{1,2}})\s?({Alternatives(s_counters)})");
    private static readonly Regex s_phone = Pattern(@"(?<!\d)0\d{1,2}-\d{3,4}-\d{4}(?!\d)");
    private static readonly Regex s_number = Pattern($@"({Number})(?=(\p{{L}})?)");
    private static readonly Regex s_signPattern = Pattern($@"(?<=[\d\p{{L}}])\s?({Alternatives(s_signs.Keys)})\s?(?=[\d\p{{L}}])");

    /// <summary>Writes a text out.</summary>
    public static string Read(string text)
    {
        text = s_signPattern.Replace(text, m => m.Value.Trim() == "=" ? "는 " : $" {s_signs[m.Value.Trim()]} ");
        if (!text.AsSpan().ContainsAnyInRange('0', '9'))
            return text;
        text = s_phone.Replace(text, m => string.Join(' ', m.Value.Split('-').Select(Digits)));
        text = s_date.Replace(text, m => $"{Spoken(m.Groups[1].Value)} 년 {Month(m.Groups[2].Value)} {Spoken(Bare(m.Groups[3].Value))} 일");
        text = s_time.Replace(text, m => $"{Hour(int.Parse(m.Groups[1].ValueSpan, System.Globalization.CultureInfo.InvariantCulture))} 시"
            + (m.Groups[2].Value == "00" ? "" : $" {Spoken(Bare(m.Groups[2].Value))} 분") + (m.Groups[3].Success
            ? $" {Spoken(Bare(m.Groups[3].Value))} 초" : ""));
        text = s_speed.Replace(text, m => $"시속 {Spoken(m.Groups[1].Value)} 킬로미터");
        text = s_range.Replace(text, "에서 ");
        text = s_moneyFirst.Replace(text, m => $"{Spoken(m.Groups[2].Value)} {s_money[m.Groups[1].Value]}");
        text = s_moneyLast.Replace(text, m => $"{Spoken(m.Groups[1].Value)} {s_money[m.Groups[2].Value]}");
        text = s_unit.Replace(text, m => $"{Spoken(m.Groups[1].Value)} {s_units[m.Groups[2].Value]}");
        text = s_fraction.Replace(text, m => $"{Spoken(m.Groups[2].Value)} 분의 {Spoken(m.Groups[1].Value)}");
        text = s_month.Replace(text, m => Month(m.Groups[1].Value));
        text = s_count.Replace(text, Count);
        return s_number.Replace(text, m => Spoken(m.Groups[1].Value) + (m.Groups[2].Success && !IsParticle(text.AsSpan(m.Index + m.Length)) ? " "
            : ""));
    }

    /// <summary>Whether what follows belongs to the number as its ending, where a counter is a word of its own.</summary>
    private static bool IsParticle(ReadOnlySpan<char> text)
    {
        foreach (var particle in s_particles)
            if (text.StartsWith(particle, StringComparison.Ordinal)
                && (particle.Length > 1 || text.Length == 1 || !char.IsLetter(text[1])))
                return true;
        return false;
    }

    private static string Count(Match match)
    {
        var (number, counter) = (int.Parse(match.Groups[2].ValueSpan, System.Globalization.CultureInfo.InvariantCulture), match.Groups[3].Value);
        if (match.Groups[1].Success || number == 0)
            return $"{match.Groups[1].Value.Trim()}{Spoken(Bare(match.Groups[2].Value))} {counter}";
        if (counter == "시")
            return $"{Hour(number)} 시";
        return $"{(counter == "번째" && number == 1 ? "첫" : Native(number))} {counter}";
    }

    private static string Hour(int hour) => hour is > 0 and <= 12 ? Native(hour)
        : Spoken(hour.ToString(System.Globalization.CultureInfo.InvariantCulture));

    private static string Native(int number) => number == 20 ? "스무" : s_nativeTens[number / 10] + s_nativeOnes[number % 10];

    private static string Month(string digits) => Bare(digits) switch { "6" => "유월", "10" => "시월", var month => Spoken(month) + "월" };

    private static string Spoken(string number)
    {
        var (negative, whole, isCode, fraction) = Parse(number);
        var words = isCode ? Digits(whole) : Cardinal(whole);
        return (negative ? "마이너스 " : "") + words
            + (fraction is null ? "" : " 점 " + string.Join(' ', fraction.Select(digit => s_figures[digit - '0'])));
    }

    /// <summary>만 이천삼백사십오: a one is not spoken before tens, hundreds and thousands, nor before ten thousand.</summary>
    private static string Cardinal(string digits)
    {
        if (digits.All(digit => digit == '0'))
            return "영";
        List<string> groups = [];
        for (var end = digits.Length; end > 0; end -= 4)
        {
            var group = Group(digits[Math.Max(0, end - 4)..end]);
            if (group.Length == 0)
                continue;
            var scale = ((digits.Length - end) / 4) switch { 1 => "만", 2 => "억", 3 => "조", _ => "" };
            groups.Insert(0, scale == "만" && group == "일" ? scale : group + scale);
        }
        return string.Join(' ', groups);
    }

    private static string Group(string digits)
    {
        var words = new StringBuilder();
        for (var i = 0; i < digits.Length; i++)
        {
            var (place, digit) = (digits.Length - 1 - i, digits[i] - '0');
            if (digit == 0)
                continue;
            if (digit > 1 || place == 0)
                words.Append(s_figures[digit]);
            words.Append(place switch { 1 => "십", 2 => "백", 3 => "천", _ => "" });
        }
        return words.ToString();
    }

    private static string Digits(string text) => string.Concat(text.Where(char.IsAsciiDigit).Select(digit => digit == '0' ? "공"
        : s_figures[digit - '0']));
}
