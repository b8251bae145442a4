using System.Text.RegularExpressions;

namespace LightTts.Text;

/// <summary>English abbreviations, initialisms and Roman numerals.</summary>
internal static partial class EnglishAbbreviations
{
    // With a full stop that belongs to the abbreviation.
    private static readonly Dictionary<string, string> s_dotted = new(StringComparer.Ordinal)
    {
        ["Mr"] = "Mister", ["Mrs"] = "Missus", ["Ms"] = "Miz", ["Dr"] = "Doctor", ["Prof"] = "Professor", ["Rev"] = "Reverend", ["Hon"] = "Honorable", ["Gen"] = "General",
        ["Col"] = "Colonel", ["Maj"] = "Major", ["Capt"] = "Captain", ["Lt"] = "Lieutenant", ["Sgt"] = "Sergeant", ["Gov"] = "Governor", ["Sen"] = "Senator", ["Pres"] = "President",
        ["Jr"] = "Junior", ["Sr"] = "Senior", ["Mt"] = "Mount", ["Ft"] = "Fort", ["Ave"] = "Avenue", ["Blvd"] = "Boulevard", ["Rd"] = "Road", ["Hwy"] = "Highway", ["Inc"] = "Incorporated",
        ["Ltd"] = "Limited", ["Co"] = "Company", ["Corp"] = "Corporation", ["Bros"] = "Brothers", ["Dept"] = "Department", ["dept"] = "department", ["etc"] = "et cetera", ["vs"] = "versus",
        ["approx"] = "approximately", ["est"] = "established", ["ext"] = "extension", ["misc"] = "miscellaneous", ["Mon"] = "Monday", ["Tue"] = "Tuesday", ["Tues"] = "Tuesday",
        ["Wed"] = "Wednesday", ["Thu"] = "Thursday", ["Thur"] = "Thursday", ["Thurs"] = "Thursday", ["Fri"] = "Friday", ["Sat"] = "Saturday", ["Jan"] = "January", ["Feb"] = "February",
        ["Aug"] = "August", ["Sept"] = "September", ["Sep"] = "September", ["Oct"] = "October", ["Nov"] = "November", ["Dec"] = "December", ["Apr"] = "April", ["e.g"] = "for example",
        ["i.e"] = "that is", ["a.k.a"] = "also known as", ["Messrs"] = "Messieurs", ["Mme"] = "Madame", ["cf"] = "compare", ["al"] = "al", ["Fig"] = "Figure", ["Vol"] = "Volume",
        ["No"] = "No", ["St"] = "St", ["no"] = "no", ["pp"] = "pages", ["p"] = "p", ["ed"] = "edition",
    };

    // Before a number only.
    private static readonly Dictionary<string, string> s_beforeNumber = new(StringComparer.Ordinal)
    {
        ["No."] = "Number", ["no."] = "number", ["Nos."] = "Numbers", ["Nr."] = "Number", ["№"] = "number", ["p."] = "page", ["pp."] = "pages", ["Fig."] = "Figure", ["fig."] = "figure",
        ["Vol."] = "Volume", ["vol."] = "volume", ["ch."] = "chapter", ["Ch."] = "Chapter", ["sec."] = "section", ["Sec."] = "Section", ["Eq."] = "Equation", ["ca."] = "circa",
        ["c."] = "circa", ["~"] = "about", ["≈"] = "about", ["§"] = "section",
    };

    // Something always follows these.
    private static readonly HashSet<string> s_titles = new(StringComparer.Ordinal)
    {
        "Mr", "Mrs", "Ms", "Dr", "Prof", "Rev", "Hon", "Gen", "Col", "Maj", "Capt", "Lt", "Sgt", "Gov", "Sen", "Pres", "Mt", "Ft", "Messrs", "Mme", "vs", "e.g", "i.e", "cf", "Fig", "fig",
        "Vol", "vol", "ch", "Ch", "sec", "Sec", "ca", "Eq", "approx", "Nr", "St",
    };

    private static readonly HashSet<string> s_letters = new(StringComparer.Ordinal)
    {
        "AI", "API", "ATM", "BBC", "CEO", "CFO", "CIA", "CNN", "CPU", "CTO", "DIY", "DNA", "DVD", "EU", "FAQ", "FBI", "GPU", "HIV", "HR", "IBM", "ID", "IO", "IP", "IQ", "IRS", "IT", "LA",
        "MIT", "NBA", "NYC", "OK", "PE", "PIN", "PIO", "RSVP", "SOS", "SUV", "TTS", "TV", "UAE", "UFO", "UI", "UK", "UN", "URL", "US", "USA", "USB", "UV", "VIP", "AM", "PM", "AC", "AD", "BC",
        "BCE", "CE", "CEOs", "IOU", "IDE", "GUI", "EUR", "USD", "AWS", "UX", "ISO", "IEEE", "NHS", "MBA", "BA", "MA", "ESP", "ETA", "FYI", "ASMR", "OS", "IOS", "PA",
    };

    private static readonly HashSet<string> s_words = new(StringComparer.Ordinal) { "NASA", "NATO", "UNESCO", "LASER", "RADAR", "SCUBA", "HMM", "SHH", "PSST", "BRRR", "PFFT", "TSK", "MR", "MRS", "DR", "ST" };

    /// <summary>Expands those that mean something else, or are found only, before a number.</summary>
    public static string ExpandBeforeNumbers(string text) =>
        BeforeNumber().Replace(text, m => s_beforeNumber[m.Groups[1].Value] + " ");

    /// <summary>Whether a full stop may end a sentence.</summary>
    /// <param name="word">The word before it.</param>
    /// <param name="rest">What follows, from the first character on that is not blank.</param>
    public static bool StopMayEndSentence(ReadOnlySpan<char> word, ReadOnlySpan<char> rest)
    {
        if (rest.IsEmpty)
            return true;
        if (char.IsLower(rest[0]) || s_titles.GetAlternateLookup<ReadOnlySpan<char>>().Contains(word))
            return false;
        if (char.IsAsciiDigit(rest[0]) && (word is "No" or "no" or "Nos" or "p" or "pp" or "c"))
            return false;
        // After an initial or initials only a word that often starts a sentence.
        var initials = (word.Length == 1 && char.IsAsciiLetterUpper(word[0]) && word[0] != 'I') || (word.Length > 2 && word[^2] == '.' && char.IsAsciiLetterUpper(word[0]));
        return !initials || SentenceStart().IsMatch(string.Concat(" ", rest[..Math.Min(rest.Length, 16)]));
    }

    /// <summary>Expands the others.</summary>
    public static string Expand(string text)
    {
        if (text.Contains('.'))
        {
            text = Saint().Replace(text, "Saint ");
            text = Street().Replace(text, m => "Street" + (m.Groups[1].Success ? "." : ""));
            text = Dotted().Replace(text, m => s_dotted.TryGetValue(m.Groups[1].Value, out var word) && !IsOrdinaryWord(m)
                ? word + (m.Groups[2].Success ? "" : ".") : m.Value);
            text = Initials().Replace(text, m => string.Join(' ', m.Value.Where(char.IsAsciiLetter)) + (EndsSentence(text, m.Index + m.Length) ? "." : ""));
            text = Initial().Replace(text, "$1 ");
        }
        text = text.Replace("w/o ", "without ", StringComparison.Ordinal).Replace(" w/ ", " with ", StringComparison.Ordinal);
        text = NumberedPart().Replace(text, m => $"{m.Groups[1].Value} {EnglishNumbers.Cardinal(Roman(m.Groups[2].Value).ToString())}");
        text = Regnal().Replace(text, m => $"{m.Groups[1].Value} the {EnglishNumbers.Ordinal(Roman(m.Groups[2].Value).ToString())}");
        // Where whole sentences are in capitals, capitals mean nothing.
        if (text.Count(char.IsLower) * 2 < text.Count(char.IsUpper))
            return text;
        return Capitals().Replace(text, m => SpellsLetters(m.Groups[1].Value) ? string.Join(' ', m.Groups[1].Value.ToCharArray()) + m.Groups[2].Value : m.Value);
    }

    /// <summary>The value of a Roman numeral.</summary>
    internal static int Roman(string numeral)
    {
        var (sum, previous) = (0, 0);
        for (var i = numeral.Length - 1; i >= 0; i--)
        {
            var value = numeral[i] switch { 'I' => 1, 'V' => 5, 'X' => 10, 'L' => 50, 'C' => 100, 'D' => 500, _ => 1000 };
            sum += value < previous ? -value : value;
            previous = Math.Max(previous, value);
        }
        return sum;
    }

    private static bool SpellsLetters(string word) => s_letters.Contains(word) || (word.Length <= 5 && !word.AsSpan().ContainsAny("AEIOUY") && !s_words.Contains(word));

    // "No." and the like are words as often as not; a month or weekday keeps its stop only as an abbreviation.
    private static bool IsOrdinaryWord(Match match) => match.Groups[1].Value is "No" or "no" or "St" or "p" or "Sat" or "Mon" or "al" or "ed" or "est" && !match.Groups[2].Success;

    private static bool EndsSentence(string text, int end) =>
        end == text.Length || text.AsSpan(end).TrimStart(" \"')").IsEmpty || SentenceStart().IsMatch(text, end);

    [GeneratedRegex(@"(?<![\w.])(No\.|no\.|Nos\.|Nr\.|pp?\.|[Ff]ig\.|[Vv]ol\.|[Cc]h\.|[Ss]ec\.|Eq\.|ca\.|c\.|[~≈№§]) ?(?=\d)")]
    private static partial Regex BeforeNumber();

    [GeneratedRegex(@"\bSt\. (?=\p{Lu})")]
    private static partial Regex Saint();

    [GeneratedRegex(@"(?<=\p{L} )\bSt\.(?=(\s*$)?)")]
    private static partial Regex Street();

    // The stop goes where the sentence goes on.
    [GeneratedRegex(@"(?<![\w.])(e\.g|i\.e|a\.k\.a|\p{L}{1,6})\.(?=( ?,| \p{Ll}| ?[;:?!)]| \d|(?<=\b(?:M[rs]|Mrs|Dr|Prof|Rev|Hon|Gen|Col|Maj|Capt|Lt|Sgt|Gov|Sen|Pres|Mt|Ft|Messrs|Mme|vs|Fig|Vol|e\.g|i\.e)\.) )?)")]
    private static partial Regex Dotted();

    [GeneratedRegex(@"(?<![\w.])(?:[A-Za-z]\.){2,8}(?!\p{L})")]
    private static partial Regex Initials();

    [GeneratedRegex(@"(?<![\w.'])([A-Z])\. (?=\p{Lu})")]
    private static partial Regex Initial();

    [GeneratedRegex(@"\G[""')]? (?:The|This|That|These|Those|It|He|She|We|They|I|You|In|On|At|But|And|So|A|An|His|Her|Its|Our|My|Your|What|When|Where|Why|How|Who|There|If|As|For|After|Then|Now|Not|No|Yes) ")]
    private static partial Regex SentenceStart();

    [GeneratedRegex(@"\b([Cc]hapter|[Pp]art|[Aa]ct|[Ss]cene|[Vv]olume|[Ss]ection|[Bb]ook|World War|[Pp]hase|[Tt]ype|[Cc]lass|[Aa]ppendix|[Aa]rticle|[Ee]pisode|[Ss]eason|Super Bowl|[Ll]evel|[Ss]tage|[Tt]itle|Final Fantasy|Rocky) ([IVXLC]{1,8})\b(?!'|\.\p{Lu})")]
    private static partial Regex NumberedPart();

    [GeneratedRegex(@"\b(Henry|Louis|Charles|George|Elizabeth|James|Edward|William|Richard|John Paul|Benedict|Pius|Philip|Napoleon|Alexander|Frederick|Nicholas|Catherine|Francis|Ivan|Peter|Leo|Gregory|Leopold|Victoria|Mary|Ramses|Xerxes|Darius) ([IVX]{2,6}\b|V\b|X\b|I(?=[,.;:!?)]|$| (?:of|was|and)\b))")]
    private static partial Regex Regnal();

    [GeneratedRegex(@"(?<![\p{L}\d'’-])([A-Z]{2,6})('?s)?(?![\p{L}\d'’])")]
    private static partial Regex Capitals();
}
