using System.Collections.Frozen;
using System.Text.RegularExpressions;

namespace LightTts.Text.English;

/// <summary>Chapter and verse: "Gen. 1:1", "1 Cor. 13:4-7", "Ps. 23"; no times, no ratios.</summary>
internal sealed partial class ScriptureClass : SemioticClass
{
    private static readonly FrozenDictionary<string, string> s_books = Table.Pairs("""
        Gen=Genesis|Ex=Exodus|Exod=Exodus|Lev=Leviticus|Num=Numbers|Deut=Deuteronomy|Josh=Joshua|Judg=Judges|Sam=Samuel|Kgs=Kings|Chron=Chronicles
        Chr=Chronicles|Neh=Nehemiah|Ps=Psalm|Psa=Psalm|Prov=Proverbs|Eccl=Ecclesiastes|Isa=Isaiah|Jer=Jeremiah|Ezek=Ezekiel|Dan=Daniel|Hos=Hosea
        Zech=Zechariah|Mal=Malachi|Matt=Matthew|Mt=Matthew|Mk=Mark|Lk=Luke|Jn=John|Rom=Romans|Cor=Corinthians|Gal=Galatians|Eph=Ephesians
        Phil=Philippians|Col=Colossians|Thess=Thessalonians|Tim=Timothy|Tit=Titus|Heb=Hebrews|Jas=James|Pet=Peter|Rev=Revelation
        """);

    // Short for people, too: only with a stop or a book's number.
    private static readonly FrozenSet<string> s_people = Table.Words("Dan Tim Sam Phil Matt Mal Tit Pet Col Mt Num Ex Josh Jer");

    // Written out; some are names of people too, who have no verses.
    public static readonly FrozenSet<string> Names = Table.Words("""
        Genesis Exodus Leviticus Numbers Deuteronomy Joshua Judges Ruth Samuel Kings Chronicles Ezra Nehemiah Esther Job Psalm Psalms Proverbs
        Ecclesiastes Isaiah Jeremiah Lamentations Ezekiel Daniel Hosea Joel Amos Obadiah Jonah Micah Nahum Habakkuk Zephaniah Haggai Zechariah Malachi
        Matthew Mark Luke John Acts Romans Corinthians Galatians Ephesians Philippians Colossians Thessalonians Timothy Titus Philemon Hebrews James
        Peter Jude Revelation
        """);

    public override int Read(Reading r, int start)
    {
        if (!r.Starts(start) || r.At(start - 1) is '.' or '/' or ':' or '-' || Verse().Match(r.Text, start) is not { Success: true } match)
            return 0;
        var book = match.Groups["book"].Value;
        var name = s_books.Find(book) ?? (Names.Contains(book) ? book : null);
        if (name is null || (s_people.Contains(book) && !match.Groups["stop"].Success && !match.Groups["number"].Success)
            || (!match.Groups["verse"].Success && name != "Psalm"))
            return 0;
        r.Say(match.Groups["number"].Value switch { "1" => "First ", "2" => "Second ", "3" => "Third ", _ => "" } + name);
        r.Say(r.Cardinal(match.Groups["chapter"].ValueSpan));
        if (match.Groups["verse"].Success)
            r.Say(r.Cardinal(match.Groups["verse"].ValueSpan));
        if (match.Groups["until"].Success)
            r.Say("to " + r.Cardinal(match.Groups["until"].ValueSpan));
        return start + match.Length;
    }

    [GeneratedRegex(@"\G(?:(?<number>[1-3]) )?(?<book>[A-Z][a-z]{1,13})(?<stop>\.)? (?<chapter>[1-9]\d{0,2})"
        + @"(?::(?<verse>[1-9]\d{0,2})(?: ?[-–] ?(?<until>\d{1,3}))?)?"
        + @"(?![\w:]|[.,]\d| ?[AaPp]\.?[Mm]\b)", RegexOptions.CultureInvariant)]
    private static partial Regex Verse();
}
