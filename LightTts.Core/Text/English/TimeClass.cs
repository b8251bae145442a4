using System.Text.RegularExpressions;

namespace LightTts.Text.English;

/// <summary>Times of day, ranges of them, and durations such as 2h 15m.</summary>
internal sealed partial class TimeClass : SemioticClass
{
    private const string Half = @"(?: ?([AaPp])(?:\.[Mm]\.?|[Mm](?![\p{L}\d]))(?!\p{L}))";

    public override int Read(Reading r, int start)
    {
        if (!r.Starts(start) || r.At(start - 1) is '.' or ',' or ':' or '/')
            return 0;
        if (Duration().Match(r.Text, start) is { Success: true } duration)
        {
            var words = "";
            for (var unit = 1; unit <= 4; unit++)
                if (duration.Groups[unit] is { Success: true } count)
                    words += $" {r.Cardinal(count.ValueSpan)} {Name(unit)}{(count.ValueSpan is "1" or "01" ? "" : "s")}";
            r.Say(words.AsSpan(1));
            return start + duration.Length;
        }
        if (Times().Match(r.Text, start) is { Success: true } time && IsClock(time.Groups[1].ValueSpan, time.Groups[2].ValueSpan)
            && !IsRatio(r, start, time))
            return ReadTime(r, start, time);
        if (Stopped().Match(r.Text, start) is { Success: true } stopped && IsClock(stopped.Groups[1].ValueSpan, stopped.Groups[2].ValueSpan))
            return Finish(r, Clock(r, stopped.Groups[1].ValueSpan, stopped.Groups[2].ValueSpan, stopped.Groups[3].Value), start + stopped.Length);
        if (Hours().Match(r.Text, start) is { Success: true } hours && int.Parse(hours.Groups[1].ValueSpan) <= 24)
        {
            var words = r.Cardinal(hours.Groups[1].ValueSpan) + (hours.Groups[2].Success ? Letters(hours.Groups[2].Value) : "");
            if (hours.Groups[3].Success)
                words += " to " + (hours.Groups[5].Success ? Clock(r, hours.Groups[3].ValueSpan, hours.Groups[5].ValueSpan, hours.Groups[4].Value)
                    : r.Cardinal(hours.Groups[3].ValueSpan));
            return Finish(r, hours.Groups[5].Success ? words : words + Letters(hours.Groups[4].Value), start + hours.Length);
        }
        return 0;
    }

    /// <summary>"three thirty", "twelve o'clock", "fifteen oh five".</summary>
    public static string Clock(Reading r, ReadOnlySpan<char> hour, ReadOnlySpan<char> minute, string half) =>
        r.Cardinal(hour) + (minute is "00" ? half.Length > 0 ? "" : int.Parse(hour) is > 12 or 0 ? " hundred" : " o'clock"
            : minute[0] == '0' ? " oh " + r.Cardinal(minute) : " " + r.Cardinal(minute)) + (half.Length > 0 ? Letters(half) : "");

    private static string Letters(string half) => half is "a" or "A" ? " A M" : " P M";

    private static string Name(int unit) => unit switch { 1 => "day", 2 => "hour", 3 => "minute", _ => "second" };

    private static int ReadTime(Reading r, int start, Match time)
    {
        var hour = time.Groups[1].ValueSpan;
        var minute = time.Groups[2].ValueSpan;
        var second = time.Groups[3];
        var tenths = time.Groups[4];
        var half = time.Groups[5].Value;
        string words;
        if (second.Success)
        {
            words = $"{Clock(r, hour, minute, "").Replace(" hundred", " zero", StringComparison.Ordinal)} and {r.Cardinal(second.ValueSpan)}"
                + (tenths.Success ? $" point {EnglishNumbers.Digits(tenths.ValueSpan)}" : "")
                + (second.ValueSpan is "01" && !tenths.Success ? " second" : " seconds")
                + (half.Length > 0 ? Letters(half) : "");
        }
        else if (tenths.Success)
        {
            words = $"{r.Cardinal(hour)} {(minute[0] == '0' ? "oh " : "")}{r.Cardinal(minute)} point {EnglishNumbers.Digits(tenths.ValueSpan)}";
        }
        else
        {
            // "9:00-11:30 am": the half of the day comes once.
            words = Clock(r, hour, minute, half);
            if (half.Length == 0 && time.Groups[8].Success && minute is "00")
                words = r.Cardinal(hour);
        }
        var end = start + time.Length;
        if (time.Groups[6] is { Success: true } until)
        {
            words += " to " + (time.Groups[7].Success ? Clock(r, until.ValueSpan, time.Groups[7].ValueSpan, time.Groups[8].Value)
                : r.Cardinal(until.ValueSpan) + (time.Groups[8].Success ? Letters(time.Groups[8].Value) : ""));
        }
        return Finish(r, words, end);
    }

    private static int Finish(Reading r, string words, int end)
    {
        if (r.Text[end - 1] == '.')
            return r.SayDotted(words, end);
        r.Say(words);
        return end;
    }

    private static bool IsClock(ReadOnlySpan<char> hour, ReadOnlySpan<char> minute) => int.Parse(hour) <= 24 && int.Parse(minute) < 60;

    private static bool IsRatio(Reading r, int start, Match time) =>
        !time.Groups[3].Success && !time.Groups[5].Success
        && (r.WordAfter(start + time.Length) is "ratio" or "scale" or "odds" or "mix" or "dilution" or "split"
            || r.WordBefore(start, out var at) is "ratio" or "odds" or "scale" or "mix" or "mixed" or "dilute" or "diluted" or "Mix" or "Dilute"
            || (r.WordBefore(start) is "of" && r.WordBefore(at) is "ratio" or "scale" or "odds" or "dilution"));

    [GeneratedRegex(@"\G(?:(\d{1,3}) ?d(?:ays?)? ?)?(?:(\d{1,3}) ?(?:h(?:rs?|ours?)?\.?),? ?(\d{1,2}) ?m(?:ins?"
        + @"|inutes?)?(?: ?(\d{1,2}) ?s(?:ecs?)?)?|(?<3>\d{1,3}) ?m(?:ins?)? ?(?<4>\d{1,2}) ?s(?:ecs?)?"
            + @"|(?<=d ?)(?<2>\d{1,2}) ?h(?:rs?)?|(?<2>\d{1,2})h(?<3>[0-5]\d))(?![\p{L}\d/])", RegexOptions.CultureInvariant)]
    private static partial Regex Duration();

    [GeneratedRegex(@"\G(\d{1,2}):(\d{2})(?::(\d{2}))?(?:\.(\d{1,6}))?(?![\d:]|,\d{3})" + Half
        + @"?(?: ?[-–—] ?(\d{1,2})(?::([0-5]\d))?(?![\d:])(?: ?([AaPp])(?:\.[Mm]\.?|[Mm](?![\p{L}\d])))?)?", RegexOptions.CultureInvariant)]
    private static partial Regex Times();

    [GeneratedRegex(@"\G(\d{1,2})\.([0-5]\d) ?([AaPp])(?:\.[Mm]\.?|[Mm](?![\p{L}\d]))", RegexOptions.CultureInvariant)]
    private static partial Regex Stopped();

    [GeneratedRegex(@"\G(\d{1,2})(?: ?([AaPp])\.?[Mm]\.?)?(?: ?[-–—] ?(\d{1,2})(?::(?<5>[0-5]\d))?)?"
        + @" ?(?<4>[AaPp])(?:\.[Mm]\.?|[Mm](?![\p{L}\d]))", RegexOptions.CultureInvariant)]
    private static partial Regex Hours();
}
