using System.Text;

namespace LightTts.Text;

/// <summary>English words for numbers given as ASCII digits.</summary>
/// <remarks>Not Humanizer: it ends at 64 bits and knows neither years nor house numbers, and its choice of words follows a CultureInfo,
/// which an application with InvariantGlobalization cannot make.</remarks>
internal static class EnglishNumbers
{
    private static readonly string[] s_small =
    [
        "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen",
            "sixteen",
        "seventeen", "eighteen", "nineteen",
    ];

    private static readonly string[] s_tens = ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];

    private static readonly string[] s_scales =
    [
        "", "thousand", "million", "billion", "trillion", "quadrillion", "quintillion", "sextillion", "septillion", "octillion", "nonillion",
            "decillion",
    ];

    private static readonly Dictionary<string, string> s_ordinals = new()
    {
        ["one"] = "first", ["two"] = "second", ["three"] = "third", ["five"] = "fifth", ["eight"] = "eighth", ["nine"] = "ninth",
            ["twelve"] = "twelfth",
    };

    /// <summary>"one thousand two hundred and thirty-four"; digit by digit where no name is large enough.</summary>
    /// <param name="digits">ASCII digits, at least one; leading zeros do not count.</param>
    /// <param name="comma">Between thousands; the reference's inflect writes ",".</param>
    /// <param name="and">"one hundred and five", not "one hundred five".</param>
    public static string Cardinal(ReadOnlySpan<char> digits, string comma = "", bool and = true)
    {
        digits = digits.TrimStart('0');
        if (digits.IsEmpty)
            return "zero";
        if (digits.Length > 3 * s_scales.Length)
            return Digits(digits);
        var words = new StringBuilder();
        for (var scale = (digits.Length - 1) / 3; scale >= 0; scale--)
        {
            var end = digits.Length - (3 * scale);
            var group = int.Parse(digits[Math.Max(0, end - 3)..end]);
            if (group == 0)
                continue;
            if (words.Length > 0)
                words.Append(scale == 0 && group < 100 && and ? " and " : comma + " ");
            words.Append(BelowThousand(group, and));
            if (scale > 0)
                words.Append(' ').Append(s_scales[scale]);
        }
        return words.ToString();
    }

    /// <summary>"twenty-first".</summary>
    public static string Ordinal(ReadOnlySpan<char> digits, bool and = true) => ToOrdinal(Cardinal(digits, "", and));

    /// <summary>"nineteen ninety-nine", "two thousand and five", "nineteen oh five", "eighteen hundred".</summary>
    /// <param name="digits">Four digits; other lengths are read as cardinals.</param>
    /// <param name="and">"two thousand and five".</param>
    public static string Year(ReadOnlySpan<char> digits, bool and = true)
    {
        if (digits.Length != 4 || digits[0] == '0' || digits[1..3] is "00")
            return Cardinal(digits, "", and);
        var century = Cardinal(digits[..2]);
        return digits[2..] is "00" ? $"{century} hundred" : digits[2] == '0' ? $"{century} oh {Cardinal(digits[3..])}"
            : $"{century} {Cardinal(digits[2..])}";
    }

    /// <summary>"five five five", each digit for itself.</summary>
    public static string Digits(ReadOnlySpan<char> digits)
    {
        var words = new StringBuilder();
        foreach (var digit in digits)
            if (char.IsAsciiDigit(digit))
                words.Append(words.Length > 0 ? " " : "").Append(s_small[digit - '0']);
        return words.ToString();
    }

    /// <summary>A number as written: thousands separators, decimals; leading zeros mean a code that is read digit by digit.</summary>
    /// <param name="number">Figures, commas, at most one point.</param>
    /// <param name="and">"one hundred and five".</param>
    public static string Number(string number, bool and = true)
    {
        number = number.Replace(",", "", StringComparison.Ordinal);
        var point = number.IndexOf('.');
        if (point >= 0)
            return $"{(point == 0 ? "" : Cardinal(number.AsSpan(0, point), "", and) + " ")}point {Digits(number.AsSpan(point + 1))}";
        return number.Length > 1 && number[0] == '0' ? Digits(number) : Cardinal(number, "", and);
    }

    /// <summary>Three or four figures as a house, room, flight or model has them: "seven forty-seven", "one oh one", "twelve thirty-four".</summary>
    public static string Pairs(ReadOnlySpan<char> digits)
    {
        if (digits.Length is not (3 or 4) || digits[0] == '0')
            return digits[0] == '0' ? Digits(digits) : Cardinal(digits, "", and: false);
        var rest = digits[^2..];
        if (rest is "00")
            return digits.Length == 4 && digits[1] == '0' ? Cardinal(digits) : Cardinal(digits[..^2]) + " hundred";
        return $"{Cardinal(digits[..^2])} {(rest[0] == '0' ? "oh " + Cardinal(rest[1..]) : Cardinal(rest))}";
    }

    /// <summary>The plural of the last word of a number: "nineties", "sixes".</summary>
    public static string Plural(string words) => words[^1] == 'y' ? words[..^1] + "ies" : words[^1] is 'x' ? words + "es" : words + "s";

    private static string ToOrdinal(string words)
    {
        var last = words.AsSpan().LastIndexOfAny(' ', '-') + 1;
        var word = words[last..];
        return words[..last] + (s_ordinals.TryGetValue(word, out var irregular) ? irregular : word[^1] == 'y' ? word[..^1] + "ieth" : word + "th");
    }

    private static string BelowThousand(int number, bool and)
    {
        var rest = number % 100;
        var tail = rest == 0 ? "" : rest < 20 ? s_small[rest] : rest % 10 == 0 ? s_tens[rest / 10] : $"{s_tens[rest / 10]}-{s_small[rest % 10]}";
        return number < 100 ? tail : $"{s_small[number / 100]} hundred{(rest == 0 ? "" : and ? " and " + tail : " " + tail)}";
    }
}
