using System.Globalization;
using System.Text;

namespace LightTts.Text;

/// <summary>What a character is written in, as far as it decides how figures beside it are read.</summary>
internal enum Script
{
    /// <summary>No letter: figures, signs, marks, blanks.</summary>
    None,

    /// <summary>Latin letters.</summary>
    Latin,

    /// <summary>Chinese characters.</summary>
    Han,

    /// <summary>Hiragana and katakana.</summary>
    Kana,

    /// <summary>Letters of any other script.</summary>
    Other,
}

/// <summary>Tells scripts apart.</summary>
internal static class Scripts
{
    /// <summary>Whether text can hold nothing but Latin letters: there is no character from the Greek block on.</summary>
    public static bool IsPlainlyLatin(ReadOnlySpan<char> text) => !text.ContainsAnyInRange('\u0370', '\uffff');

    /// <summary>Whether a character is Chinese (Japanese writes with many of the same).</summary>
    public static bool IsHan(int point) =>
        point is (>= 0x4E00 and <= 0x9FFF) or (>= 0x3400 and <= 0x4DBF) or (>= 0xF900 and <= 0xFAFF) or (>= 0x20000 and <= 0x3FFFF) or 0x3005
        or 0x3007;

    /// <summary>The script of a character.</summary>
    public static Script Of(Rune rune)
    {
        var point = rune.Value;
        if (point < 0x80)
            return char.IsAsciiLetter((char)point) ? Script.Latin : Script.None;
        if (IsHan(point))
            return Script.Han;
        // The middle dot and the long vowel are Japanese only beside Japanese.
        if (point is (>= 0x3041 and <= 0x3096) or (>= 0x30A1 and <= 0x30FA) or (>= 0x31F0 and <= 0x31FF) or (>= 0xFF66 and <= 0xFF9F))
            return Script.Kana;
        if (Rune.GetUnicodeCategory(rune)
            is not (UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter or UnicodeCategory.TitlecaseLetter
            or UnicodeCategory.OtherLetter))
            return Script.None;
        return point switch
        {
            0xAA or 0xB5 or 0xBA => Script.None,
            < 0x250 or (>= 0x1E00 and <= 0x1EFF) or (>= 0x2C60 and <= 0x2C7F) or (>= 0xA722 and <= 0xA7FF) or (>= 0xFB00 and <= 0xFB06)
            or (>= 0xFF21 and <= 0xFF5A) => Script.Latin,
            >= 0x2100 and <= 0x214F or (>= 0x1D400 and <= 0x1D7FF) => Script.None, // letters as signs
            _ => Script.Other,
        };
    }
}
