using System.Collections.Frozen;

namespace LightTts.Text;

/// <summary>Whether a full stop ends a sentence, or only an abbreviation, an initial or the like.</summary>
internal static class SentenceStops
{
    // Before a name, or before what they count: no sentence ends with them.
    private static readonly FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> s_leading = Set(
        "Mr Mrs Ms Mx Dr Drs Prof Rev Fr Msgr Hon Pres Gov Sen Rep Gen Col Maj Capt Cpt Cmdr Lt Sgt Cpl Pvt Adm Messrs Mme Mlle Mt St Ft vs v e.g "
        + "i.e eg ie cf viz al approx ca c");

    // A sentence may end with them: then one begins that begins like a sentence.
    private static readonly FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> s_either = Set(
        "Inc Ltd Co Corp Bros LLC Jr Sr Esq St Ave Blvd Rd Dr Ln Hwy Pl Sq Ct a.m p.m A.M P.M am pm Ph.D M.D B.A M.A B.C A.D U.S U.K U.N U.S.A E.U "
        + "D.C a.k.a etc Dept Univ Assn est Est");

    // Before a figure.
    private static readonly FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> s_counting = Set(
        "No no Nos nos Nr nr p pp P PP vol Vol ch Ch chap Chap fig Fig figs Figs sec Sec art Art Ex ex eq Eq ver Ver v ext Ext tel Tel Apt apt Qtr "
        + "min max approx ca c Rm Ste op Op para Bk " +
        "Jan Feb Mar Apr Jun Jul Aug Sep Sept Oct Nov Dec Mon Tue Tues Wed Thu Thur Thurs Fri Sat Sun ft in yd mi lb lbs oz hr hrs min mins sec secs "
        + "yr yrs wk wks mo mos gal qt pt tsp tbsp sq deg");

    // What a sentence often begins with.
    private static readonly FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> s_starts = Set(
        "The A An He She It We They You I I'm I've I'll He's She's It's This That These Those There Then Here His Her Its My Our Their But And Or So "
        + "If When While As After Before In On At For From " +
        "With Without By To No Not Yes What Why How Where Which Is Are Was Were Do Does Did Can Could Will Would Should Let Let's Please Now Today "
        + "Tomorrow Yesterday Once Some Many Most All Both Each " +
        "Every One Two However Although Because Since Until Maybe Perhaps Thanks Thank Go Come See Call Take");

    /// <param name="word">The word before the stop, with the stops inside it.</param>
    /// <param name="rest">What follows, from the first character on that is not blank.</param>
    public static bool MayEnd(ReadOnlySpan<char> word, ReadOnlySpan<char> rest)
    {
        if (rest.IsEmpty)
            return true;
        var first = rest[0];
        if (char.IsLower(first))
            return false;
        if (char.IsAsciiDigit(first))
            return !s_counting.Contains(word) && !(s_leading.Contains(word) && !s_either.Contains(word));
        if (s_either.Contains(word) || IsInitials(word))
            return BeginsSentence(rest) || !char.IsLetter(first);
        return !s_leading.Contains(word);
    }

    // German figures with a stop are ordinals: before a month, and behind words that lead to a noun.
    private static readonly FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> s_months =
        Set("Januar Februar März April Mai Juni Juli August September Oktober November Dezember");
    private static readonly FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> s_articles = Set("der das dem den des am im vom zum zur beim");

    /// <summary>Whether a figure with a stop behind it is a German ordinal.</summary>
    /// <param name="text">What stands before the stop.</param>
    /// <param name="rest">What follows, from the first character on that is not blank.</param>
    public static bool IsOrdinal(ReadOnlySpan<char> text, ReadOnlySpan<char> rest)
    {
        var before = text.TrimEnd("0123456789");
        if (text.Length - before.Length > 3 || before is not [.., ' '])
            return false;
        before = before.TrimEnd();
        var letters = 0;
        while (letters < rest.Length && char.IsLetter(rest[letters]))
            letters++;
        return s_months.Contains(rest[..letters]) || s_articles.Contains(before[(before.LastIndexOf(' ') + 1)..]);
    }

    private static bool IsInitials(ReadOnlySpan<char> word) =>
        (word.Length == 1 && char.IsAsciiLetterUpper(word[0]) && word[0] != 'I')
        || (word.Length > 2 && word[^2] == '.' && char.IsAsciiLetterUpper(word[0]));

    private static bool BeginsSentence(ReadOnlySpan<char> rest)
    {
        var length = 0;
        while (length < rest.Length && length < 16 && (char.IsLetter(rest[length]) || rest[length] is '\'' or '’'))
            length++;
        Span<char> word = stackalloc char[length];
        rest[..length].CopyTo(word);
        word.Replace('’', '\'');
        return s_starts.Contains(word);
    }

    private static FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> Set(string words) =>
        words.Split(' ').ToFrozenSet(StringComparer.Ordinal).GetAlternateLookup<ReadOnlySpan<char>>();
}
