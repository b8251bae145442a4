using System.Text.RegularExpressions;

namespace LightTts.Text.English;

/// <summary>Identifiers, hexadecimal numbers, scientific notation, powers, calls.</summary>
internal sealed partial class CodeClass : SemioticClass
{
    public override int Read(Reading r, int start)
    {
        if (!r.Starts(start) || r.At(start - 1) == '_' && start > 1 && char.IsLetterOrDigit(r.At(start - 2)))
            return 0;
        if (char.IsAsciiDigit(r.At(start)))
        {
            if (Binary().Match(r.Text, start) is { Success: true } binary)
            {
                r.Say("zero b " + EnglishNumbers.Digits(binary.Groups[1].ValueSpan));
                return start + binary.Length;
            }
            if (Hexadecimal().Match(r.Text, start) is { Success: true } hex)
            {
                r.Say("zero x");
                foreach (var c in hex.Groups[1].Value)
                    r.Say(char.IsAsciiDigit(c) ? EnglishNumbers.Digits([c]) : char.ToUpperInvariant(c).ToString());
                return start + hex.Length;
            }
            if (Scientific().Match(r.Text, start) is { Success: true } scientific)
            {
                var exponent = scientific.Groups[2].Value;
                r.Say($"{r.Number(scientific.Groups[1].Value)} times ten to the power of "
                    + $"{(exponent[0] == '-' ? "minus " : "")}{r.Number(exponent.TrimStart('-', '+'))}");
                return start + scientific.Length;
            }
            if (Superscript().Match(r.Text, start) is { Success: true } raised && raised.Groups[2].Value is not ("²" or "³"))
            {
                var digits = new string(raised.Groups[2].Value.Where(c => c != '⁻').Select(c =>
                    (char)('0' + (int)char.GetNumericValue(c))).ToArray());
                r.Say($"{r.Number(Numerals.Plain(raised.Groups[1].Value))} to the power of "
                    + $"{(raised.Groups[2].Value[0] == '⁻' ? "minus " : "")}{r.Number(digits)}");
                return start + raised.Length;
            }
            if (Powers().Match(r.Text, start) is { Success: true } power && power.Groups[2].Value is not ("2" or "3"))
            {
                r.Say($"{r.Number(Numerals.Plain(power.Groups[1].Value))} to the power of "
                    + $"{(power.Groups[2].Value[0] is '-' or '−' ? "minus " : "")}{r.Number(power.Groups[2].Value.TrimStart('-', '−'))}");
                return start + power.Length;
            }
            return 0;
        }
        if (Snake().Match(r.Text, start) is { Success: true } snake)
        {
            Identifier(r, snake.Value);
            return Call(r, start + snake.Length);
        }
        if (Camel().Match(r.Text, start) is { Success: true } camel)
        {
            Identifier(r, camel.Value);
            return Call(r, start + camel.Length);
        }
        if (Function().Match(r.Text, start) is { Success: true } function)
        {
            r.Say($"{function.Groups[1].Value} of "
                + $"{(char.IsAsciiDigit(function.Groups[2].Value[0]) ? r.Number(function.Groups[2].Value) : function.Groups[2].Value)}");
            return start + function.Length;
        }
        return 0;
    }

    private static void Identifier(Reading r, string name)
    {
        foreach (var part in Parts().Split(name))
        {
            if (part.Length == 0)
                continue;
            r.Say(part == "_" ? "underscore" : part[0] == '_' ? "double underscore" : char.IsAsciiDigit(part[0]) ? r.Number(part)
                : LettersClass.Spelling(part) ?? part);
        }
    }

    /// <summary>An empty pair of brackets after a name is not said.</summary>
    private static int Call(Reading r, int end) => r.At(end) == '(' && r.At(end + 1) == ')' ? end + 2 : end;

    [GeneratedRegex(@"\G0[bB]([01]{2,64})(?![\p{L}\d])", RegexOptions.CultureInvariant)]
    private static partial Regex Binary();

    [GeneratedRegex(@"\G0[xX]([0-9A-Fa-f]{1,32})(?![\p{L}\d])", RegexOptions.CultureInvariant)]
    private static partial Regex Hexadecimal();

    [GeneratedRegex(@"\G(\d{1,20}(?:\.\d{1,20})?)[eE]([+-]?\d{1,4})(?![\p{L}\d.]\d|\p{L})", RegexOptions.CultureInvariant)]
    private static partial Regex Scientific();

    [GeneratedRegex(@"\G(\d{1,20}(?:\.\d{1,20})?)(⁻?[⁰¹²³⁴⁵⁶⁷⁸⁹]{1,6})", RegexOptions.CultureInvariant)]
    private static partial Regex Superscript();

    [GeneratedRegex(@"\G(\d{1,20}(?:\.\d{1,20})?)(?:\^|\*\*)\(?([-−]?\d{1,6})\)?(?![\p{L}\d])", RegexOptions.CultureInvariant)]
    private static partial Regex Powers();

    [GeneratedRegex(@"\G_{0,2}[A-Za-z][A-Za-z0-9]{0,40}(?:_{1,2}[A-Za-z0-9]{1,40}){1,12}_{0,2}(?![\p{L}\d])", RegexOptions.CultureInvariant)]
    private static partial Regex Snake();

    [GeneratedRegex(@"\G[a-z]{2,20}(?:[A-Z][a-z0-9]{1,20}){1,8}(?![\p{L}\d])|\G(?:[A-Z][a-z]{1,20}){3,8}(?![\p{L}\d])"
        + @"|\G[A-Z]{3,8}[a-z]{2,20}(?:[A-Z][a-z0-9]{1,20}){0,8}(?![\p{L}\d])", RegexOptions.CultureInvariant)]
    private static partial Regex Camel();

    [GeneratedRegex(@"\G([a-zA-Z])\(([a-z]|\d{1,6})\)(?!\w)", RegexOptions.CultureInvariant)]
    private static partial Regex Function();

    [GeneratedRegex(@"(_{1,2})|(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[A-Za-z])(?=\d)|(?<=\d)(?=[A-Za-z])", RegexOptions.CultureInvariant)]
    private static partial Regex Parts();
}
