namespace LightTts.Text.English;

/// <summary>Marks: those that are heard as a pause or a tone stay, brackets and dashes become commas, the others fall away.</summary>
internal static class Punctuation
{
    /// <summary>Reads the mark at a place.</summary>
    /// <returns>The place after it.</returns>
    public static int Read(Reading r, int place)
    {
        var c = r.Text[place];
        var next = r.At(place + 1);
        switch (c)
        {
            case '.' when char.IsLetter(r.At(place - 1)) && char.IsLetter(r.At(place - 2)) && char.IsLower(next):
                r.Say("dot");
                return place + 1;
            case '(' when next == ')':
                return place + 2;
            case ',' or '.' or ';' or ':' or '!' or '?':
                r.Spoken.Mark(c, char.IsLetterOrDigit(next) && r.At(place - 1) == ' ');
                return place + 1;
            case '—':
                return Pause(r, place + 1);
            // An option of a command: "--force".
            case '-' when next == '-' && char.IsAsciiLetterLower(r.At(place + 2)) && r.At(place - 1) is ' ' or '\0':
                r.Say("dash dash");
                return place + 2;
            case '-' when next == '-':
                var end = place;
                while (r.At(end) == '-')
                    end++;
                return Pause(r, end);
            case '–' or '-' when r.At(place - 1) == ' ' && next == ' ':
                return Pause(r, place + 1);
            case '-' or '–' when IsUntil(r, place):
                r.Say("to");
                return place + 1;
            case '-' when char.IsLetterOrDigit(r.At(place - 1)) && (char.IsAsciiDigit(next) || char.IsAsciiDigit(r.At(place - 1))):
                r.Spoken.Blank();
                return place + 1;
            case '-':
                if (char.IsLetterOrDigit(r.At(place - 1)) || char.IsLetterOrDigit(next))
                    r.Spoken.Copy("-");
                return place + 1;
            case '(' or '[' when char.IsLetterOrDigit(r.At(place - 1)) && char.IsLetter(next) && c == '(' && next == 's' && r.At(place + 2) == ')':
                return place + 3;
            case '(' or '[' when IsInk(r, place - 1, -1):
                return Pause(r, place + 1);
            case ')' or ']' when next == ' ' && char.IsLetterOrDigit(r.At(place + 2)) && place > 1:
                r.Spoken.Mark(',', touchesNext: false);
                return place + 1;
            case '"' or '\'' or '‘' or '’':
                r.Spoken.Copy([c]);
                return place + 1;
            case '…':
                r.Spoken.Copy("...");
                return place + 1;
            case '(' or '[' or '<' when place == 0:
                return place + 1;
            case '_' or '–' or '/' or '\\' or '(' or ')' or '[' or ']' or '<' or '>' or '•' or '·' or '^' or '¨':
                r.Spoken.Blank();
                return place + 1;
            case '*' or '`' or '~' or '|' or '{' or '}':
                return place + 1;
        }
        if (char.GetUnicodeCategory(c) is System.Globalization.UnicodeCategory.MathSymbol or System.Globalization.UnicodeCategory.CurrencySymbol
            or System.Globalization.UnicodeCategory.ModifierSymbol)
            r.Spoken.Blank();
        else
            r.Spoken.Copy([c]);
        return place + 1;
    }

    /// <summary>"noon-1pm", "2010-present".</summary>
    private static bool IsUntil(Reading r, int place) =>
        (r.Span(place + 1, r.WordEnd(place + 1)) is "noon" or "midnight" or "present" or "Present" or "now" or "today"
        && (char.IsAsciiDigit(r.At(place - 1)) || r.At(place - 1) is 'm' or 'M' or '.'))
        || (char.IsAsciiDigit(r.At(place + 1)) && r.WordBefore(place) is "noon" or "midnight" or "Noon" or "Midnight");

    private static int Pause(Reading r, int place)
    {
        r.Spoken.Pause();
        return r.SkipBlanks(place);
    }

    private static bool IsInk(Reading r, int place, int step)
    {
        var c = r.At(r.At(place) == ' ' ? place + step : place);
        return char.IsLetterOrDigit(c) || c is '%' or '"' or '$';
    }
}
