using System.Text.RegularExpressions;

namespace LightTts.Text.Languages;

/// <summary>How Japanese and Korean write numbers, which both read in groups of four figures.</summary>
internal static class EasternFigures
{
    /// <summary>A number: commas between groups of three, a stop before the fraction, a minus where nothing stands before it.</summary>
    public const string Number = @"(?<![\d.])(?:(?<![\d\p{L}])[-−])?(?:\d{1,3}(?:,\d{3}){1,4}|\d{1,20})(?:\.\d{1,9})?";

    // Four groups of four have names.
    private const int MaxDigits = 16;

    /// <summary>Takes a number apart.</summary>
    /// <param name="number">As <see cref="Number"/> finds it.</param>
    /// <returns>Its sign, its whole part, whether that is a code (too long, or with leading zeros), and its fraction's figures; null: none.</returns>
    public static (bool Negative, string Whole, bool IsCode, string? Fraction) Parse(string number)
    {
        var negative = number[0] is '-' or '−';
        number = (negative ? number[1..] : number).Replace(",", "", StringComparison.Ordinal);
        var point = number.IndexOf('.', StringComparison.Ordinal);
        var whole = point < 0 ? number : number[..point];
        return (negative, whole, (whole.Length > 1 && whole[0] == '0') || whole.Length > MaxDigits, point < 0 ? null : number[(point + 1)..]);
    }

    /// <summary>Figures without leading zeros.</summary>
    public static string Bare(string digits) => digits.TrimStart('0') is { Length: > 0 } bare ? bare : "0";
}
