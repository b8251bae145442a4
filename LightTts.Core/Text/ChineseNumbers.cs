using System.Text;

namespace LightTts.Text;

/// <summary>Chinese words for numbers given as ASCII digits.</summary>
internal static class ChineseNumbers
{
    private const string Figures = "零一二三四五六七八九";
    private static readonly string[] s_places = ["", "十", "百", "千"];
    private static readonly string[] s_scales = ["", "万", "亿", "万亿"];

    /// <summary>一千二百三十四; digit by digit where no name is large enough.</summary>
    /// <param name="digits">ASCII digits, at least one; leading zeros do not count.</param>
    public static string Cardinal(ReadOnlySpan<char> digits)
    {
        digits = digits.TrimStart('0');
        if (digits.IsEmpty)
            return "零";
        if (digits.Length > 4 * s_scales.Length)
            return Digits(digits);
        var words = new StringBuilder();
        var zero = false;
        for (var i = 0; i < digits.Length; i++)
        {
            var place = digits.Length - 1 - i;
            var digit = digits[i] - '0';
            if (digit == 0)
                zero = true;
            else
            {
                if (zero && words.Length > 0)
                    words.Append('零');
                zero = false;
                // 十 and 十二 at the start of a number, 一十 inside; 两 before 千, 万 and 亿.
                var unit = place % 4;
                if (!(digit == 1 && unit == 1 && words.Length == 0))
                    words.Append(digit == 2 && (unit == 3 || (unit == 0 && place > 0 && (i == 0 || words.Length == 0))) ? '两' : Figures[digit]);
                words.Append(s_places[unit]);
            }
            if (place % 4 == 0 && place > 0 && digits[Math.Max(0, i - 3)..(i + 1)].ContainsAnyExcept('0'))
            {
                words.Append(s_scales[place / 4]);
                zero = false;
            }
        }
        return words.ToString();
    }

    /// <summary>一三八, each digit for itself.</summary>
    public static string Digits(ReadOnlySpan<char> digits)
    {
        var words = new StringBuilder(digits.Length);
        foreach (var digit in digits)
            if (char.IsAsciiDigit(digit))
                words.Append(Figures[digit - '0']);
        return words.ToString();
    }

    /// <summary>A number as written: thousands separators, decimals; leading zeros mean a code that is read digit by digit.</summary>
    public static string Number(string number)
    {
        number = number.Replace(",", "", StringComparison.Ordinal);
        var point = number.IndexOf('.');
        if (point >= 0)
            return $"{Cardinal(number.AsSpan(0, point))}点{Digits(number.AsSpan(point + 1))}";
        return number.Length > 1 && number[0] == '0' ? Digits(number) : Cardinal(number);
    }
}
