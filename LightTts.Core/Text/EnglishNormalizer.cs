using System.Collections.Frozen;
using LightTts.Text.English;

namespace LightTts.Text;

/// <summary>Writes English text as it is read aloud: each token is classified by what it
/// is and what stands around it, then said by its class.</summary>
/// <remarks>Thread-safe. Any string is accepted; time is linear in the text. Words stay
/// as they are written; numbers become words in small letters, acronyms
/// single letters with blanks between ("F B I"). Blanks at the ends are kept as one blank.</remarks>
internal static class EnglishNormalizer
{
    // In the order of precedence, by the kind of character that a token starts with.
    private static readonly SemioticClass[] s_letter =
        [
        new ElectronicClass(), new MoneyClass(), new FiscalClass(), new ScriptureClass(), new AbbreviationClass(), new SlashClass(), new DateClass(),
        new VersionClass(), new RomanClass(), new CodeClass(), new LettersClass(),
    ];

    private static readonly SemioticClass[] s_digit =
    [
        new ElectronicClass(), new CodeClass(), new FiscalClass(), new ScriptureClass(), new TimeClass(), new DateClass(), new TelephoneClass(),
        new DigitsClass(), new FractionClass(), new MoneyClass(),
        new OrdinalClass(), new YearClass(), new VersionFirst(), new MeasureClass(),
    ];

    private static readonly SemioticClass[] s_sign =
        [
        new MoneyClass(), new ElectronicClass(), new TelephoneClass(), new FractionClass(), new MeasureClass(), new YearClass(), new SectionClass(),
        new SignClass(),
    ];

    // Words that a class may want although they look like any other.
    private static readonly FrozenSet<string> s_noticed =
        new[]
        {
            DateLexicon.MonthNames.Keys, DateLexicon.Weekdays.Keys, AbbreviationLexicon.BareTitles.Keys, AbbreviationLexicon.Streets.Keys,
            AbbreviationLexicon.BeforeNumber.Keys, AbbreviationLexicon.Dotted.Keys, LettersLexicon.Mixed.Keys, AbbreviationLexicon.Casual.Keys,
            ScriptureClass.Names.Items, RomanClass.Small.Items,
            ["gov", "Gov", "int", "nat", "Jr", "Sr", "Rs", "vs", "etc", "approx"],
        }.SelectMany(words => words).ToFrozenSet(StringComparer.Ordinal);

    /// <summary>Normalises a part of a text, American, without emoji.</summary>
    public static string Normalize(string text) => Normalize(text, ReadingOptions.Default);

    /// <summary>Normalises a part of a text.</summary>
    public static string Normalize(string text, ReadingOptions options)
    {
        var reading = new Reading(Markup.Remove(TextCleaner.Clean(text, options.NameEmoji)), options);
        for (var place = 0; place < reading.Text.Length;)
            place = Step(reading, place);
        return reading.Spoken.ToString();
    }

    private static int Step(Reading r, int place)
    {
        var c = r.Text[place];
        if (c == ' ')
        {
            r.Spoken.Blank();
            return place + 1;
        }
        if (char.IsAsciiDigit(c))
            return First(s_digit, r, place) is > 0 and var end ? end : CopyDigits(r, place);
        // "πr²": a sign, not a letter of a Greek word.
        if (c is 'π' or 'Δ' or 'θ' or 'λ' && !IsGreek(r.At(place - 1)) && !IsGreek(r.At(place + 1)))
        {
            r.Say(c switch { 'π' => "pi", 'Δ' => "delta", 'θ' => "theta", _ => "lambda" });
            r.Spoken.Blank();
            return place + 1;
        }
        if (char.IsLetter(c) || char.IsSurrogate(c))
            return IsPlain(r, place) is > 0 and var plain ? Copy(r, place, plain) : r.Starts(place) && First(s_letter, r, place) is > 0 and var said
            ? said : CopyWord(r, place);
        return First(s_sign, r, place) is > 0 and var sign ? sign : Punctuation.Read(r, place);
    }

    private static bool IsGreek(char c) => c is (>= '\u0370' and <= '\u03ff') or (>= '\u1f00' and <= '\u1fff') or (>= '\u0300' and <= '\u036f');

    private static int First(SemioticClass[] classes, Reading r, int place)
    {
        foreach (var semiotic in classes)
            if (semiotic.Read(r, place) is > 0 and var end)
                return end;
        return 0;
    }

    /// <summary>The end of a word that no class can want, as most are; 0: look closer.</summary>
    private static int IsPlain(Reading r, int place)
    {
        var text = r.Text;
        var end = place + 1;
        while (end < text.Length && char.IsAsciiLetterLower(text[end]))
            end++;
        var (length, next) = (end - place, r.At(end));
        if (next == '.')
            return length > 6 && r.At(end + 1) is ' ' or '\0' && !s_noticed.Has(r.Span(place, end)) ? end : 0;
        if (next is not (' ' or ',' or ';' or '!' or '?' or '\0' or '"' or ')') && !(next == '\'' && char.IsAsciiLetterLower(r.At(end + 1))))
            return 0;
        if (length == 1 ? text[place] != 'a' : !char.IsAsciiLetter(text[place]))
            return 0;
        return length is < 2 or > 9 || !s_noticed.Has(r.Span(place, end)) ? end : 0;
    }

    private static int Copy(Reading r, int start, int end)
    {
        r.Spoken.Copy(r.Span(start, end));
        return end;
    }

    private static int CopyWord(Reading r, int place)
    {
        var end = place;
        // "4WD": letters behind a figure.
        if (char.IsAsciiDigit(r.At(place - 1)))
        {
            while (char.IsAsciiLetterUpper(r.At(end)) && end - place < 8)
                end++;
            if (r.Ends(end) && LettersClass.Spelling(r.Span(place, end)) is { } letters)
            {
                r.Say(letters);
                return end;
            }
            end = place;
        }
        while (end < r.Text.Length && (char.IsLetter(r.Text[end]) || char.IsSurrogate(r.Text[end])
            || r.Text[end] == '\'' && end > place && char.IsLetter(r.At(end + 1))
            || char.GetUnicodeCategory(r.Text[end]) is System.Globalization.UnicodeCategory.NonSpacingMark))
        {
            // A size, "4 x 4" and "4x4".
            if (r.Text[end] is 'x' or 'X' && end == place && s_sign[^1].Read(r, end) is > 0 and var by)
                return by;
            end++;
        }
        return Copy(r, place, end == place ? place + 1 : end);
    }

    private static int CopyDigits(Reading r, int place)
    {
        var end = place;
        while (char.IsAsciiDigit(r.At(end)) && end - place < 40)
            end++;
        r.Say(r.Number(r.Text[place..end]));
        return end;
    }

    /// <summary>Versions come after years, dates and times, but before plain numbers.</summary>
    private sealed class VersionFirst : SemioticClass
    {
        private readonly VersionClass _version = new();

        public override int Read(Reading reading, int start)
        {
            // "1.000.000" is a number.
            var end = Numerals.End(reading.Text, start);
            var text = end > 0 ? reading.Text.AsSpan(start, end - start) : default;
            return text.Count('.') > 1 ? 0 : _version.Read(reading, start);
        }
    }
}
