using System.Collections.Frozen;
using System.Text.RegularExpressions;

namespace LightTts.Text.English;

/// <summary>Two or three words with a slash between: weekdays, months, titles, "he/she", and others side by side.</summary>
internal sealed partial class SlashClass : SemioticClass
{
    // One or the other; in this order or turned round.
    private static readonly FrozenSet<string> s_either = Table.Words("""
        he/she him/her his/her his/hers himself/herself sir/madam mr/mrs mr/ms mrs/ms male/female true/false boy/girl boys/girls man/woman men/women
        husband/wife mother/father mom/dad mum/dad brother/sister brothers/sisters son/daughter sons/daughters actor/actress
        """);

    // Folders and kinds of content: there the slash is heard.
    private static readonly FrozenSet<string> s_folders =
        Table.Words("src bin lib usr etc home docs test tests app dist build var tmp dev opt feature origin refs heads include static assets public");

    private static readonly FrozenSet<string> s_content = Table.Words("text image audio video application multipart font");

    public override int Read(Reading r, int start)
    {
        if (!r.Starts(start) || r.At(start - 1) is '/' or '\\' or '.' or '@' or '_' || Words().Match(r.Text, start) is not { Success: true } match)
            return 0;
        var parts = match.Groups[1].Captures.Select(capture => capture.Value).Append(match.Groups[2].Value).ToArray();
        if (Array.TrueForAll(parts, IsCapitals) || s_folders.Has(parts[0]) || (s_content.Has(parts[0]) && !s_content.Has(parts[1])))
            return 0;
        var spoken = Array.ConvertAll(parts, part => Full(part) ?? part);
        var days = Array.TrueForAll(parts, part => DateLexicon.Weekdays.ContainsKey(part));
        r.Say(days ? $"{string.Join(", ", spoken[..^1])} and {spoken[^1]}" : string.Join(IsEither(parts) ? " or " : " ", spoken));
        // The stop of an abbreviation is its own, any other ends the sentence.
        var end = start + match.Length;
        return r.At(end) == '.' && spoken[^1].Length > parts[^1].Length ? r.SayDotted("", end + 1) : end;
    }

    private static string? Full(string word) =>
        DateLexicon.Weekdays.Find(word) ?? (word == "May" ? null : DateLexicon.MonthNames.Find(word)) ?? AbbreviationLexicon.BareTitles.Find(word)
        ?? LettersLexicon.Mixed.Find(word) ?? LettersClass.Spelling(word)
        ?? (word[^1] == 's' && LettersClass.Spelling(word.AsSpan(..^1)) is { } letters ? letters + "s" : null);

    private static bool IsEither(string[] parts)
    {
        if (parts.Length != 2)
            return false;
        var (first, second) = (parts[0].ToLowerInvariant(), parts[1].ToLowerInvariant());
        return s_either.Contains($"{first}/{second}") || s_either.Contains($"{second}/{first}");
    }

    private static bool IsCapitals(string word) => word.AsSpan().IndexOfAnyExceptInRange('A', 'Z') < 0;

    [GeneratedRegex(@"\G(?:(\p{L}[\p{L}']{1,19})\.?/){1,2}(\p{L}[\p{L}']{1,19})(?![\w/\\@]|[.-]\w)", RegexOptions.CultureInvariant)]
    private static partial Regex Words();
}
