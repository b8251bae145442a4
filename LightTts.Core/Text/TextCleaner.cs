using System.Globalization;
using System.Text;
using LightTts.Text.English;

namespace LightTts.Text;

/// <summary>Takes out what has no spoken form (controls, emoji, invisible characters,
/// piles of marks) and maps typographic variants to plain ones.</summary>
internal static class TextCleaner
{
    private const int MaxMarks = 4;     // on one character; more are a prank
    private const string SpokenSymbols = "°©®™№℃℉❤♥";

    /// <summary>The text in form C, without what cannot be spoken, blanks of all kinds as U+0020. Never throws.</summary>
    /// <param name="text">Any text.</param>
    /// <param name="nameEmoji">Whether an emoji is replaced by its English name, where it has a common one; otherwise it is left out.</param>
    public static string Clean(string text, bool nameEmoji = false)
    {
        var clean = new StringBuilder(text.Length);
        var marks = 0;
        foreach (var rune in UnicodeComposition.Normalize(text).EnumerateRunes())
        {
            // Most of most texts.
            if (rune.Value is >= ' ' and < 0x7F and not '`')
            {
                marks = 0;
                clean.Append((char)rune.Value);
                continue;
            }
            var category = Rune.GetUnicodeCategory(rune);
            if (category is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark)
            {
                // Variation selectors choose how an emoji looks; a mark after a blank stands on nothing.
                if (rune.Value is (< 0xFE00 or > 0xFE0F) and < 0xE0100 && clean.Length > 0 && clean[^1] != ' ' && ++marks <= MaxMarks)
                    clean.Append(rune);
                continue;
            }
            marks = 0;
            switch (category)
            {
                case UnicodeCategory.OtherSymbol when Unit(rune) is { } unit:
                    clean.Append(unit);
                    break;
                case UnicodeCategory.OtherSymbol when nameEmoji && EmojiLexicon.Names.Find(rune.ToString()) is { } name:
                    if (clean.Length > 0 && clean[^1] != ' ')
                        clean.Append(' ');
                    clean.Append(name).Append(' ');
                    break;
                case UnicodeCategory.Control or UnicodeCategory.SpaceSeparator or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator:
                case UnicodeCategory.OtherSymbol when !SpokenSymbols.Contains((char)rune.Value):
                    clean.Append(' ');
                    break;
                case UnicodeCategory.Format or UnicodeCategory.PrivateUse or UnicodeCategory.Surrogate or UnicodeCategory.OtherNotAssigned:
                case UnicodeCategory.EnclosingMark:
                case UnicodeCategory.ModifierSymbol when rune.Value >= 0x80 || rune.Value == '`':
                case UnicodeCategory.OtherSymbol when rune.Value == 0xFFFD:
                    break;
                case UnicodeCategory.DecimalDigitNumber:
                    clean.Append((char)('0' + (int)Rune.GetNumericValue(rune)));
                    break;
                default:
                    clean.Append(Plain(rune));
                    break;
            }
        }
        return clean.ToString();
    }

    /// <summary>Units that are one sign in East Asian text.</summary>
    private static string? Unit(Rune rune) => rune.Value switch
    {
        0x33A1 => "m²", 0x33A2 => "km²", 0x33A5 => "m³", 0x339C => "mm", 0x339D => "cm", 0x339E => "km", 0x338E => "mg", 0x338F => "kg",
        0x3396 => "ml", 0x3390 => "Hz", 0x3392 => "MHz", 0x3393 => "GHz", _ => null,
    };

    /// <summary>Full-width letters and signs as ASCII, one form of quotation mark, hyphen and dash.</summary>
    private static string Plain(Rune rune) => rune.Value switch
    {
        >= 0xFF21 and <= 0xFF3A or >= 0xFF41 and <= 0xFF5A or 0xFF05 or 0xFF04 or 0xFF0B or 0xFF1D => ((char)(rune.Value - 0xFEE0)).ToString(),
        '’' or '‘' or 'ʼ' or '‛' => "'",
        '−' or '‐' or '‑' => "-",
        '‒' => "–",
        '―' => "—",
        >= '₀' and <= '₉' => ((char)('0' + rune.Value - '₀')).ToString(),
        '…' => "...",
        'ﬀ' => "ff",
        'ﬁ' => "fi",
        'ﬂ' => "fl",
        'ﬃ' => "ffi",
        'ﬄ' => "ffl",
        'ﬅ' or 'ﬆ' => "st",
        '℅' => "care of",
        _ => rune.ToString(),
    };
}
