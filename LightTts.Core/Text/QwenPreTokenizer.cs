using System.Globalization;
using System.Text;

namespace LightTts.Text;

/// <summary>Cuts text into the pieces that byte-pair merges may not cross: Qwen2's
/// pattern, by hand, so that time is linear whatever the text.</summary>
/// <remarks>The pattern: <c>(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+</c>.
/// .NET's regular expressions would take supplementary letters for symbols: they see UTF-16 code units.</remarks>
internal static class QwenPreTokenizer
{
    /// <summary>No piece is longer, in UTF-16 code units: no word is, and pieces that grow without end would make streamed text quadratic.</summary>
    public const int MaxPiece = 4096;

    private enum Kind { Letter, Number, Space, Newline, Other }

    /// <summary>The length of the piece at the start of the text, in UTF-16 code units.</summary>
    /// <param name="text">Normalised text, not empty.</param>
    /// <param name="final">Whether no more text follows.</param>
    /// <returns>0: text that follows could still change the piece.</returns>
    public static int Next(ReadOnlySpan<char> text, bool final)
    {
        // Cut at the limit but never inside a surrogate pair; what is cut off counts as text that follows.
        var cut = text.Length > MaxPiece;
        if (cut)
            text = text[..(char.IsHighSurrogate(text[MaxPiece - 1]) ? MaxPiece - 1 : MaxPiece)];
        var length = Scan(text, out var open);
        return open && !final && !cut ? 0 : length;
    }

    /// <summary>The piece at the start, taking the end of the span for the end of the text, and whether the decision saw that end.</summary>
    private static int Scan(ReadOnlySpan<char> text, out bool open)
    {
        open = false;
        if (text[0] == '\'' && Contraction(text, ref open) is var contraction and > 0)
            return contraction;

        var kind = KindAt(text, 0, out var first);
        if (kind == Kind.Number)
            return first;
        if (kind == Kind.Letter)
            return Run(text, first, Kind.Letter, ref open);
        // One character that is neither letter, number nor line break joins the letters after it.
        if (kind != Kind.Newline)
        {
            if (first == text.Length)
                open = true;
            else if (KindAt(text, first, out _) == Kind.Letter)
                return Run(text, first, Kind.Letter, ref open);
        }
        // Symbols, with a blank before and line breaks after.
        var symbols = kind == Kind.Other ? 0 : text[0] == ' ' ? 1 : -1;
        if (symbols >= 0)
        {
            var end = Run(text, symbols, Kind.Other, ref open);
            if (end > symbols)
                return Run(text, end, Kind.Newline, ref open);
        }
        return Whitespace(text, ref open);
    }

    private static int Whitespace(ReadOnlySpan<char> text, ref bool open)
    {
        int end = 0, afterNewline = 0;
        while (end < text.Length && char.IsWhiteSpace(text[end]))
            if (text[end++] is '\r' or '\n')
                afterNewline = end;
        if (end == text.Length)
            open = true;
        // Up to the last line break; else all at the end of the text; else all but the last, which belongs to what follows.
        return afterNewline > 0 ? afterNewline : end == text.Length || end == 1 ? end : end - 1;
    }

    private static int Contraction(ReadOnlySpan<char> text, ref bool open)
    {
        if (text.Length == 1)
        {
            open = true;
            return 0;
        }
        var second = text[1] | 0x20;
        if (second is 's' or 't' or 'm' or 'd' && char.IsAsciiLetter(text[1]))
            return 2;
        if (!char.IsAsciiLetter(text[1]) || second is not ('r' or 'v' or 'l'))
            return 0;
        if (text.Length == 2)
        {
            open = true;
            return 0;
        }
        return char.IsAsciiLetter(text[2]) && (text[2] | 0x20) == (second == 'l' ? 'l' : 'e') ? 3 : 0;
    }

    private static int Run(ReadOnlySpan<char> text, int start, Kind kind, ref bool open)
    {
        while (start < text.Length && KindAt(text, start, out var length) == kind)
            start += length;
        if (start == text.Length)
            open = true;
        return start;
    }

    private static Kind KindAt(ReadOnlySpan<char> text, int index, out int length)
    {
        length = 1;
        var c = text[index];
        if (c < 128)
            return char.IsAsciiLetter(c) ? Kind.Letter : char.IsAsciiDigit(c) ? Kind.Number
                : c is '\r' or '\n' ? Kind.Newline : char.IsWhiteSpace(c) ? Kind.Space : Kind.Other;
        Rune.DecodeFromUtf16(text[index..], out var rune, out length);
        return Rune.GetUnicodeCategory(rune) switch
        {
            UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter or UnicodeCategory.TitlecaseLetter
                or UnicodeCategory.ModifierLetter or UnicodeCategory.OtherLetter => Kind.Letter,
            UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber => Kind.Number,
            _ => Rune.IsWhiteSpace(rune) ? Kind.Space : Kind.Other,
        };
    }
}
