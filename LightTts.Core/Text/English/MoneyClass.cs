using System.Text.RegularExpressions;

namespace LightTts.Text.English;

/// <summary>Money: sign or code before or after the amount, large amounts, ranges, "per".</summary>
internal sealed partial class MoneyClass : SemioticClass
{
    private const string Scale =
        @"(?:[ -]?(hundred|thousand|million|billion|trillion|grand|lakh|crore|Million|Billion|Trillion|Thousand)(?!\p{L})|(?: ?(bn|mn|tn|mm|MM|mil"
        + @"|[kKmMbBtT]"
        + @"|Bn|BN|mio|trn))(?![\p{L}\d]))?";
    private const string Codes =
        "USD|EUR|GBP|JPY|CHF|CNY|RMB|CAD|AUD|NZD|HKD|SGD|INR|KRW|RUB|TRY|ILS|UAH|PHP|THB|BTC|SEK|NOK|DKK|PLN|CZK|MXN|ZAR|AED|BRL";

    // A comma before two figures is a decimal one.
    private const string Amount = @"(?:(?:\d{1,3}(?:\.\d{3}){1,4}|\d{1,9}),\d{2}(?![\d,])|" + Numerals.Pattern + ")";

    public override int Read(Reading r, int start)
    {
        if (!r.Starts(start))
            return 0;
        var first = r.At(start);
        if (char.IsAsciiDigit(first) || first == '.')
            return r.At(start - 1) is '.' or ',' ? 0 : ReadAfter(r, start);
        if (first == '¢' && Numerals.End(r.Text, start + 1) is > 0 and var cents)
        {
            var amount = Numerals.Plain(r.Text[(start + 1)..cents]);
            r.Say($"{r.Number(amount)} {(amount == "1" ? "cent" : "cents")}");
            return cents;
        }
        var match = Before().Match(r.Text, start);
        if (!match.Success)
            return 0;
        var minus = match.Groups[1].Length > 0 || match.Groups[3].Length > 0;
        var currency = CurrencyLexicon.Currencies[match.Groups[2].Value];
        var end = start + match.Length;
        var scale = FindScale(match, 5);
        if (match.Groups[7] is { Success: true } upper)
        {
            var upperScale = FindScale(match, 8);
            r.Say($"{(minus ? "minus " : "")}{r.Number(Plain(match.Groups[4].Value))}{(scale.Length > 0 ? " " + scale : "")} to ");
            return Finish(r, start, end, Numerals.Plain(upper.Value), upperScale, currency, false);
        }
        return Finish(r, start, end, Plain(match.Groups[4].Value), scale, currency, minus);
    }

    private static int ReadAfter(Reading r, int start)
    {
        var commaEnd = Numerals.CommaDecimalEnd(r, start);
        var match = commaEnd > 0 ? CommaAfter().Match(r.Text, start) : After().Match(r.Text, start);
        if (!match.Success)
            return 0;
        var number = commaEnd > 0 ? match.Groups[1].Value.Replace(',', '.') : Plain(match.Groups[1].Value);
        var unit = match.Groups[4].Value;
        if (unit is "¢" or "c" or "p")
        {
            if (unit == "c" && r.WordAfter(start + match.Length) is not ("coin" or "coins" or "each" or "a" or "per" or "stamp" or "piece" or "tax"))
                return 0;
            var one = unit == "p" ? !r.British ? "p" : number == "1" ? "penny" : "pence"
                : number == "1" ? "cent" : r.IsBeforeNoun(start, start + match.Length) ? "cent" : "cents";
            r.Say($"{r.Number(number)} {one}");
            return start + match.Length;
        }
        // "5.000 €": three figures behind a stop are thousands where the sign stands behind.
        if (unit is "€" && number.Length > 4 && number[^4] == '.' && number[0] != '0')
            number = number.Replace(".", "", StringComparison.Ordinal);
        return Finish(r, start, start + match.Length, number, FindScale(match, 2), CurrencyLexicon.Currencies[unit], minus: false);
    }

    private static string Plain(string amount) =>
        amount.Length > 3 && amount[^3] == ',' ? Numerals.Plain(amount[..^3].Replace(".", "", StringComparison.Ordinal)) + "." + amount[^2..]
        : Numerals.Plain(amount);

    private static string FindScale(Match match, int group) =>
        match.Groups[group].Success ? match.Groups[group].Value : match.Groups[group + 1].Success
        ? CurrencyLexicon.Scales[match.Groups[group + 1].Value] : "";

    private static int Finish(Reading r, int start, int end, string number, string scale, string currency, bool minus)
    {
        var names = currency.Split('/');
        var single = r.IsBeforeNoun(start, end);
        if (minus)
            r.Say("minus");
        var point = number.IndexOf('.');
        var (whole, coins) = point < 0 ? (number, "") : (number[..point], number[(point + 1)..]);
        if (scale.Length > 0 || coins.Length is not (0 or 2) || (coins.Length == 2 && names[2].Length == 0 && coins != "00"))
        {
            r.Say($"{r.Number(number)}{(scale.Length > 0 ? " " + scale : "")} {names[single ? 0 : 1]}");
        }
        else
        {
            var small = coins.Length == 0 || coins == "00" ? "" : $"{r.Cardinal(coins)} {names[coins == "01" || single ? 2 : 3]}";
            if (small.Length > 0 && whole.AsSpan().TrimStart('0').IsEmpty)
                r.Say(small);
            else
                r.Say($"{r.Cardinal(whole)} {names[whole == "1" || single ? 0 : 1]}{(small.Length > 0 ? " and " + small : "")}");
        }
        // "$5 million+", "$5+".
        if (r.At(end) == '+' && !char.IsLetterOrDigit(r.At(end + 1)))
        {
            r.Say("plus");
            end++;
        }
        return MeasureClass.ReadPer(r, end);
    }

    [GeneratedRegex(@"\G([-–] ?)?((?:US|CA|CDN|C|AU|A|NZ|HK|S|NT|R|MX)\$|CN¥|[$£€¥₹₩₽₺₪₴₦₱₫฿₿]|(?:Rs)(?=\.? ?\d)|(?:" + Codes
        + @")(?= ?\d))(?:(?<=Rs)\.)? ?(-)?(" + Amount + ")" + Scale
        + @"(?: ?[-–—] ?(?:[$£€¥₹])?(" + Numerals.Pattern + @")(?!-)" + Scale + @")?(?!\d)", RegexOptions.CultureInvariant)]
    private static partial Regex Before();

    [GeneratedRegex(@"\G(" + Amount + ")" + Scale + @" ?((?:[€£¢$¥₽₹₩₺₪]|zł)(?![\p{L}\d])|c(?![\p{L}\d])|p(?<=\dp)(?![\p{L}\d.])|kr(?![\p{L}\d])|(?:"
        + Codes + @")(?![\p{L}\d]))", RegexOptions.CultureInvariant)]
    private static partial Regex After();

    [GeneratedRegex(@"\G(\d{1,5},\d{1,2})" + Scale + @" ?([€£$]|(?:" + Codes + @")(?![\p{L}\d]))", RegexOptions.CultureInvariant)]
    private static partial Regex CommaAfter();
}
