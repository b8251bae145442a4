using System.Collections.Frozen;

namespace LightTts.Text.English;

/// <summary>Signs: mathematics, operators of programs, marks of typography and of Markdown.</summary>
internal sealed class SignClass : SemioticClass
{
    private static readonly FrozenDictionary<string, string> s_signs = Table.Pairs("""
        &&=and|&=and|++=plus plus|+==plus equals|+=plus|===equals equals equals|===equals|!==is not equal to|<==is at most|>==is at least|->=arrow
        =>=arrow|<-=left arrow|==equals|×=times|÷=divided by|±=plus or minus|≈=is about|≠=is not equal to
        ≤=is at most|≥=is at least|<=is less than|>=is greater than|√=square root of|∞=infinity|%=percent|‰=per mille|°=degrees|@=at|/=slash
        $=dollars|€=euros|£=pounds|¥=yen|¢=cents|₹=rupees|²=squared|³=cubed|©=copyright|®=registered|™=trademark
        #=hash|π=pi|µ=micro|§=section|¶=paragraph|℃=degrees Celsius|℉=degrees Fahrenheit|→=to|←=from|⇒=implies|∑=sum|∫=integral|∈=in|∪=union
        ∩=intersection
        ^2=squared|^3=cubed|^=to the power of|№=number|::=colon colon|Δ=delta|∆=delta|⋅=times|∴=therefore|¬=not|∝=is proportional to|∂=partial
        ∇=nabla|⊂=is a subset of|∀=for all|∃=there exists|′=prime|″=double prime
        """);

    public override int Read(Reading r, int start)
    {
        var c = r.At(start);
        if (c == '=' && r.At(start + 1) == '=')
        {
            var run = Run(r, start, '=');
            if (run > 3)
                return start + run;
            r.Say("equals");
            return start + run;
        }
        if (c == '|' && r.At(start + 1) == '|')
        {
            r.Say("or");
            return start + 2;
        }
        if (c == '!' && r.At(start + 1) == '=')
        {
            r.Say("is not equal to");
            return r.At(start + 2) == '=' ? start + 3 : start + 2;
        }
        if (c is '<' or '>' && r.At(start + 1) != '='
            && (char.IsAsciiDigit(r.At(start + 1)) || r.At(start + 1) is '$' or '£' or '€' or '.' && char.IsAsciiDigit(r.At(start + 2)))
            && !char.IsLetterOrDigit(r.At(r.At(start - 1) == ' ' ? start - 2 : start - 1))
            || (c is '<' or '>' && r.At(start + 1) != '=' && char.IsAsciiDigit(r.At(start + 1)) && r.At(start - 1) == ' '))
        {
            r.Say(c == '<' ? "less than" : "more than");
            return start + 1;
        }
        // "orders > $50", but "x > 5" is a formula.
        if (c is '<' or '>' && r.At(start + 1) == ' ' && r.At(start + 2) is '$' or '£' or '€' && r.WordBefore(start) is { Length: > 2 })
        {
            r.Say(c == '<' ? "under" : "over");
            return start + 1;
        }
        // "in $M".
        if (c is '$' or '£' or '€' && (r.At(start + 1) is 'M' or 'B' or 'K' && r.Ends(start + 2)
            || (r.Ends(start + 3) && r.Span(start + 1, Math.Min(r.Text.Length, start + 3)) is "bn" or "mn")))
        {
            var scale = CurrencyLexicon.Scales.Find(r.Span(start + 1, r.Ends(start + 2) ? start + 2 : start + 3));
            r.Say($"{scale}s of {s_signs.Find([c])}");
            return r.Ends(start + 2) ? start + 2 : start + 3;
        }
        if (c == '~' || c == '≈')
        {
            if (char.IsAsciiDigit(r.At(r.SkipBlanks(start + 1))) || r.At(start + 1) is '$' or '£' or '€')
            {
                r.Say("about");
                return start + 1;
            }
            if (c == '~')
                return start + Run(r, start, '~');
        }
        if (c == '*' && r.At(start - 1) == ' ' && r.At(start + 1) == ' '
            && (char.IsAsciiDigit(r.At(start - 2)) || char.IsAsciiDigit(r.At(start + 2))))
        {
            r.Say("times");
            return start + 1;
        }
        if (c == '*' && char.IsAsciiDigit(r.At(start - 1)) && char.IsAsciiDigit(r.At(start + 1)))
        {
            r.Say("times");
            return start + 1;
        }
        if ((c is '≥' or '≤' || (c is '<' or '>' && r.At(start + 1) == '='))
            && (start == 0 || (r.At(start - 1) is ' ' or '('
            && (char.IsAsciiDigit(r.At(start + (c is '<' or '>' ? 2 : 1))) || char.IsLower(r.At(start - 2)) && char.IsLower(r.At(start - 3))))))
        {
            r.Say(c is '≥' or '>' ? "at least" : "at most");
            return start + (c is '<' or '>' ? 2 : 1);
        }
        // "4 x 6", "4x4": by.
        if (c is 'x' or 'X' or '×' && Sized(r, start))
        {
            var right = r.SkipBlanks(start + 1);
            var powers = r.Span(right, Math.Min(right + 4, r.Text.Length)) is ['1', '0', '^', ..] or ['1', '0', '*', '*']
                or ['1', '0', >= '⁰' or '²' or '³' or '¹', ..];
            r.Say(powers || IsEquation(r, start) ? "times" : "by");
            return right;
        }
        if (c == '-' && r.At(start + 1) == '>')
        {
            r.Say("arrow");
            return start + 2;
        }
        if (c == '-' && char.IsAsciiDigit(r.At(start - 1)) && Numerals.End(r.Text, start + 1) is > 0 and var difference && r.At(difference) == '=')
        {
            r.Say("minus");
            return start + 1;
        }
        if (c is '-' or '–' or '−' && r.At(start - 1) == ' ' && r.At(start + 1) == ' ' && char.IsAsciiDigit(r.At(start - 2))
            && char.IsAsciiDigit(r.At(start + 2)))
        {
            r.Say("minus");
            return start + 1;
        }
        // "x = -b".
        if (c is '-' or '−' && char.IsAsciiLetter(r.At(start + 1)) && r.Ends(start + 2)
            && (r.At(start - 1) == '(' || (r.At(start - 1) == ' ' && r.At(start - 2) == '=')))
        {
            r.Say("minus");
            return start + 1;
        }
        // Behind a name they are for lawyers.
        if (c is '™' or '®' && char.IsLetterOrDigit(r.At(start - 1)))
            return start + 1;
        // "5,000.00" never comes here; a sign that stands alone or between words does.
        if (c is 'x' or 'X' or '-' or '–' or '.' or '!' or '*' or '|' or ':' && !(c == ':' && r.At(start + 1) == ':'))
            return 0;
        for (var length = Math.Min(3, r.Text.Length - start); length > 0; length--)
            if (s_signs.Find(r.Span(start, start + length)) is { } name)
            {
                // A row of signs is an ornament.
                if (length == 1 && Run(r, start, c) is > 2 and var run)
                    return start + run;
                r.Say(c == '$' && char.IsLetter(r.At(start + 1)) ? "dollar" : name);
                return start + length;
            }
        return 0;
    }

    /// <summary>Whether a sum or an equals sign stands among the figures on either side.</summary>
    private static bool IsEquation(Reading r, int start)
    {
        for (var i = start + 1; i < start + 40 && IsTerm(r.At(i)); i++)
            if (r.At(i) is '=' or '+' or '÷')
                return true;
        for (var i = start - 1; i > start - 40 && IsTerm(r.At(i)); i--)
            if (r.At(i) is '=' or '+' or '÷')
                return true;
        return false;

        static bool IsTerm(char c) => char.IsAsciiDigit(c) || c is ' ' or '=' or '+' or '-' or '−' or '×' or '÷' or 'x' or '*' or '(' or ')' or '.';
    }

    private static bool Sized(Reading r, int start)
    {
        var left = r.At(start - 1) == ' ' ? start - 2 : start - 1;
        var right = r.At(start + 1) == ' ' ? start + 2 : start + 1;
        if (!char.IsAsciiDigit(r.At(right)) && !(r.At(right) == '.' && char.IsAsciiDigit(r.At(right + 1))))
            return false;
        if (char.IsAsciiDigit(r.At(left)) || r.At(left) is '"' or '\'' or '″' or '′')
            return true;
        // "5 cm x 3 cm".
        if (r.At(start - 1) != ' ' || !char.IsLetter(r.At(left)))
            return false;
        var word = r.WordBefore(start);
        return UnitLexicon.Units.Find(word) is not null || word is "feet" or "inches" or "meters" or "metres";
    }

    private static int Run(Reading r, int start, char c)
    {
        var end = start;
        while (r.At(end) == c)
            end++;
        return end - start;
    }
}
