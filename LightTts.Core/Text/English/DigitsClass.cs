using System.Collections.Frozen;
using System.Text.RegularExpressions;

namespace LightTts.Text.English;

/// <summary>Numbers that name and do not count: cards, ISBN, ZIP codes, emergency calls, houses, rooms, flights, models.</summary>
internal sealed partial class DigitsClass : SemioticClass
{
    private static readonly FrozenSet<string> s_codes = Table.Words("""
        pin code passcode password account acct serial card SSN ISBN ISSN routing OTP zip postcode ending tracking
        extension ext dial text texting txt call phone ring calling dialing called dialed
        """, StringComparer.OrdinalIgnoreCase);

    private static readonly FrozenSet<string> s_paired = Table.Words("""
        Room room Flight flight Boeing Airbus Route route Highway highway Hwy Interstate Suite suite Apt Apartment apartment bus Bus Gate Peugeot
        Porsche Ferrari BMW Channel channel Area Locker Unit Ryanair United Delta
        Rm Cessna Ste Exit exit Road Form RTX GTX HTTP Error error Rte
        """);

    public static readonly FrozenSet<string> States = Table.Words("""
        AL AK AZ AR CA CO CT DE FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY NC ND OH OK OR PA RI SC SD TN TX UT VT VA WA
        WV WI WY DC California Texas York Florida
        """);

    public override int Read(Reading r, int start)
    {
        if (!char.IsAsciiDigit(r.At(start)) || !r.Starts(start) || r.At(start - 1) is '.' or '/' or '$' or '£' or '€'
            || (r.At(start - 1) == ',' && start > 1 && char.IsAsciiDigit(r.At(start - 2))))
            return 0;
        if (Grouped().Match(r.Text, start) is { Success: true } grouped)
        {
            r.Say(string.Join(grouped.Value[1] == '-' ? " " : ", ",
                grouped.Value.Split([' ', '-']).Select(group =>
                group[^1] == 'X' ? (EnglishNumbers.Digits(group) + " X").Trim() : EnglishNumbers.Digits(group))));
            return start + grouped.Length;
        }
        var end = start;
        while (char.IsAsciiDigit(r.At(end)) && end - start < 64)
            end++;
        var length = end - start;
        var digits = r.Span(start, end);
        var before = r.WordBefore(start);
        if (Model(r, before, start, end) is > 0 and var model)
            return model;
        if (length is 3 or 4 && r.At(end) is 'p' or 'i' && !char.IsLetter(r.At(end + 1))
            && digits is "480" or "720" or "1080" or "1440" or "2160" or "360")
        {
            r.Say(EnglishNumbers.Pairs(digits) + (r.At(end) == 'p' ? " P" : " I"));
            return end + 1;
        }
        if (length is 3 or 4 && char.IsAsciiLetterUpper(r.At(end)) && r.Ends(end + 1) && IsHouse(r, end + 1))
        {
            r.Say(EnglishNumbers.Pairs(digits));
            return end;
        }
        if (!r.Ends(end) || (r.At(end) is '.' or ',' or ':' or '/' or '-' && char.IsAsciiDigit(r.At(end + 1)))
            || r.At(end) is '%' or '°' or '$' or '€')
            return 0;
        if (length == 4 && r.WordAfter(end) is "hours" or "hrs" or "hr"
            && (digits[0] == '0' || before is "at" or "At" or "by" or "until" or "to" or "from" or "till") && int.Parse(digits[..2]) < 24
            && int.Parse(digits[2..]) < 60)
        {
            var hour = digits[0] == '0' ? EnglishNumbers.Digits(digits[..2]).Replace("zero", "oh", StringComparison.Ordinal)
                : r.Cardinal(digits[..2]);
            r.Say($"{hour} {(digits[2..] is "00" ? "hundred" : digits[2] == '0' ? "oh " + r.Cardinal(digits[3..]) : r.Cardinal(digits[2..]))} hours");
            return end + 1 + r.WordAfter(end).Length;
        }
        var linked = r.At(start - 1) is '\0' or ' ' or ':' or '#' or '-';
        if (digits is "911" or "999" or "112" or "411" or "988" && IsCall(r, before, digits, end))
            return Spell(r, digits, end);
        if (linked && length >= 3 && (s_codes.Has(before) || (before is "in" && EndingIn(r, start)) || IsCode(r, before, start)))
            return Spell(r, digits, end);
        if (length == 5 && linked && States.Has(before) && r.At(start - 1) == ' ')
            return Spell(r, digits, end);
        if (length is 3 or 4 && linked && (s_paired.Has(before) || IsHouse(r, end) || IsFlight(r, before, start)
            || (length == 3 && digits[0] is '4' or '5' && r.WordAfter(end) is "error" or "errors")))
        {
            r.Say(EnglishNumbers.Pairs(digits));
            return end;
        }
        if (length == 3 && digits[0] == '7' && digits[2] == '7' && before is "a" or "the" or "The" or "A"
            && (r.At(end) is '.' or ',' or '\0' || NounLexicon.NotNouns.Has(r.WordAfter(end))
            || r.WordAfter(end) is "jet" or "crashed" or "took" or "landed"))
        {
            r.Say(EnglishNumbers.Pairs(digits));
            return end;
        }
        return length >= 13 && !digits.EndsWith("000000") ? Spell(r, digits, end) : 0;
    }

    /// <summary>"737-800", "401(k)", "802.11ac"; 0: none.</summary>
    private static int Model(Reading r, ReadOnlySpan<char> before, int start, int end)
    {
        var digits = r.Span(start, end);
        var rest = r.Text.AsSpan(end, Math.Min(8, r.Text.Length - end));
        if (digits.Length == 3 && (before is "Boeing" or "Airbus" || (digits[0] == '7' && digits[2] == '7' && before is "a" or "the" or "The" or "A"))
            && rest.Length > 1 && rest[0] == '-' && char.IsAsciiDigit(rest[1]))
        {
            r.Say(EnglishNumbers.Pairs(digits));
            return end + 1;
        }
        if (digits is "401" or "403" or "457" && rest is ['(', 'k' or 'b', ')', ..] or ['k', ..] && (rest[0] == '(' || r.Ends(end + 1)))
        {
            r.Say($"{EnglishNumbers.Pairs(digits)} {(rest[0] == '(' ? rest[1] : 'k')}");
            return end + (rest[0] == '(' ? 3 : 1);
        }
        if (digits is "802" && rest.StartsWith(".11") && !char.IsAsciiDigit(r.At(end + 3)))
        {
            r.Say("eight oh two dot eleven");
            for (end += 3; char.IsAsciiLetterLower(r.At(end)); end++)
                r.Say([char.ToUpperInvariant(r.At(end))]);
            return end;
        }
        return 0;
    }

    /// <summary>"Flight UA 1175".</summary>
    private static bool IsFlight(Reading r, ReadOnlySpan<char> before, int start)
    {
        if (before.Length != 2 || before.ContainsAnyExceptInRange('A', 'Z'))
            return false;
        r.WordBefore(start, out var at);
        return r.WordBefore(at) is "flight" or "Flight";
    }

    private static int Spell(Reading r, ReadOnlySpan<char> digits, int end)
    {
        r.Say(EnglishNumbers.Digits(digits));
        return end;
    }

    /// <summary>"My PIN is 4821."; an account of so many, or a call about it, is none.</summary>
    private static bool IsCode(Reading r, ReadOnlySpan<char> before, int start)
    {
        if (before is not ("is" or "was" or "number"))
            return false;
        r.WordBefore(start, out var at);
        var what = r.WordBefore(at, out at);
        if (what is "number" && before is not "number")
            what = r.WordBefore(at);
        return what is "PIN" or "pin" or "passcode" or "password" or "code" or "ZIP" or "zip" or "postcode" or "extension" or "account" or "serial"
            or "routing";
    }

    private static bool EndingIn(Reading r, int start) => r.WordBefore(start, out var at) is "in" && r.WordBefore(at) is "ending" or "ends";

    private static bool IsCall(Reading r, ReadOnlySpan<char> before, ReadOnlySpan<char> digits, int end)
    {
        if (before is "Porsche" or "a" or "of")
            return r.WordAfter(end) is "call" or "operator" or "dispatcher" or "emergency";
        if (s_codes.Has(before))
            return true;
        var next = r.WordAfter(end);
        if (next is "call" or "calls" or "operator" or "operators" or "dispatcher" or "emergency" or "emergencies" or "services")
            return true;
        return digits is "911" or "999" && (next.IsEmpty || NounLexicon.NotNouns.Has(next))
            && before is not ("is" or "are" or "equals" or "page" or "Page" or "number" or "total") && UnitLexicon.Units.Find(next) is null;
    }

    /// <summary>"123 Main St.", "1600 Pennsylvania Avenue".</summary>
    private static bool IsHouse(Reading r, int end)
    {
        for (var word = 0; word < 4; word++)
        {
            if (r.At(end) != ' ')
                return false;
            var next = r.WordEnd(end + 1);
            if (next == end + 1)
            {
                // "123 5th Avenue", "221B".
                while (char.IsLetterOrDigit(r.At(next)) && next - end < 8)
                    next++;
                if (next == end + 1)
                    return false;
            }
            var name = r.Span(end + 1, next);
            if (word > 0 && AbbreviationLexicon.StreetWords.Has(name))
                return true;
            if (!char.IsUpper(name[0]) && !char.IsAsciiDigit(name[0]))
                return false;
            end = r.At(next) == '.' && name.Length <= 2 ? next + 1 : next;
        }
        return false;
    }

    [GeneratedRegex(@"\G(?:\d{4}([ -])\d{4}\1\d{4}\1\d{4}|\d{4}([ -])\d{6}\2\d{5}|97[89][ -]\d{1,5}[ -]\d{1,7}[ -]\d{1,7}[ -][\dX]"
        + @"|(?<=ISBN:? )\d{1,5}-\d{1,7}-\d{1,7}-[\dX]|\d{3}-\d{2}-\d{4}|\d(?:-\d){2,9}|\d{5}-\d{4})(?![\w-]|[.,]\d)", RegexOptions.CultureInvariant)]
    private static partial Regex Grouped();
}
