using System.Collections.Frozen;

namespace LightTts.Text;

/// <summary>Whether text in Latin letters is English or another language, by its small words, its letters with marks and its endings.</summary>
/// <remarks>
/// Made to err towards English: another language has to show itself by at least one small
/// word that English does not have, and by more of them than there are English ones.
/// Words that both have ("die", "am", "on") count for neither; a capital in front of another ("El Paso", "Das Boot") may be a name and counts half.
/// </remarks>
internal static class LatinLanguage
{
    /// <summary>Weights of evidence; a small word is 2.</summary>
    public readonly record struct Evidence(int English, int Other)
    {
        /// <summary>True: English; false: another language; null: too little is known.</summary>
        public bool? IsEnglish => Other >= 2 && Other > English ? false : English >= 2 ? true : null;
    }

    // English has these words or names, too.
    private static readonly string[] s_both = (
        "a ad ai all am an as at bad bin bon come con dan de den des die dies dig do dos dove du e el er era es est et euro ex fait ha " +
        "han hat her ho i in ja kind la las le lo los man me men mit more no nos not o om on or ore ou pan per pie plus pour pro " +
        "sale san se si sin so son sous sur tag u um un us van vi wan war was y").Split(' ');

    // Of each language the commonest small words that are no English words.
    private static readonly FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> s_other = Words(
        // German, Dutch
        "der das und ist nicht ein eine einen einem einer des dem den auf für mit sich auch aus bei nach wie oder aber wenn kann haben hatte wird "
        + "werden wurde sind ich sie wir ihr " +
        "kostet zum zur vom beim über unter nur noch schon sehr mehr als bis durch uhr euro heute morgen gestern jahre jahren etwa rund guten tag "
        + "danke bitte " +
        "het een van niet zijn met voor aan ook maar naar bij deze wordt worden heeft hebben uit dat dit geen nog wel dan kost jaar goed dag " +
        // French
        "le la les des du une est et dans pour pas que qui sur avec vous nous je il elle ils mais ou où cette ce ces sont était coûte être avoir "
        + "fait très bien plus par aux au " +
        "bonjour merci heures ans c'est n'est j'ai l'a d'un d'une qu'il " +
        // Spanish, Portuguese, Italian
        "el los las del una por con para es está esta este pero muy como más sus cuesta años horas gracias buenos días hola señor cuando también hay "
        + "fue son " +
        "um uma não são com mais foi ser tem você obrigado bom custa anos dos das nos ao pelo pela muito isso ele ela seu sua " +
        "il lo gli di della dei delle nel nella che è per sono non un più anche come questo questa costa anni ore grazie buongiorno alle sul con ho "
        + "hai " +
        // Polish, Czech, Hungarian, Romanian, Turkish, Nordic, Finnish, Indonesian, Vietnamese
        "nie jest się na że jak ale czy już tylko przez dla od jego kosztuje godziny dzień dobry jsem je ve že si ale jako jsou nebo podle být "
        + "stojí " +
        "az és egy nem hogy van csak meg kerül și în nu cu din pe sunt este costă ve bir bu için ile çok ama daha saat " +
        "och att det som en på är av för inte till jag han hon den ett kostar og ikke til av er som jeg koster det på med " +
        "ja ei on että se oli mutta kun niin maksaa yang dan di ini itu dengan untuk tidak dari harga và của là có không cho được một những", s_both);

    private static readonly FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> s_english = Words(
        "the and of to that it you for with are this from have has had they be by but at what were when your which she their would there about been "
        + "who its than my how our " +
        "is we if out these those them then because could should other into some only after where every under never always he his him her i'm it's "
        + "don't " +
        "can can't won't isn't doesn't didn't i've i'll we're you're they're that's there's let's please hello thanks thank yes every each very");

    private static readonly string[] s_endings =
        ["ungen", "ung", "keit", "heit", "lich", "isch", "schaft", "ción", "ções", "ção", "zione", "zioni", "mente", "eux", "ités", "ość", "ního"];

    /// <summary>Counts the evidence in a text.</summary>
    public static Evidence Count(ReadOnlySpan<char> text)
    {
        int english = 0, other = 0, i = 0;
        while (i < text.Length)
        {
            if (!IsWordLetter(text[i]))
            {
                i++;
                continue;
            }
            var start = i;
            while (i < text.Length && (IsWordLetter(text[i]) || (text[i] is '\'' or '’' && i + 1 < text.Length && IsWordLetter(text[i + 1]))))
                i++;
            // Parts of addresses and of file names are in no language, nor are phonemes ("[ō]").
            var inName = (start > 0 && text[start - 1] == '[' && i < text.Length && text[i] == ']') || (start > 0 && text[start - 1] is '.' or '/'
                or '@' or '_' or '#')
                || (i + 1 < text.Length && text[i] is '.' or '/' or '@' or '_' && !char.IsWhiteSpace(text[i + 1]));
            if (i - start <= 24 && !inName)
                Count(text[start..i], text[i..], ref english, ref other);
        }
        return new Evidence(english, other);
    }

    private static void Count(ReadOnlySpan<char> word, ReadOnlySpan<char> after, ref int english, ref int other)
    {
        Span<char> lower = stackalloc char[24];
        lower = lower[..word.ToLowerInvariant(lower)];
        lower.Replace('’', '\'');
        var name = char.IsUpper(word[0]);
        // All in capitals it says nothing about its language.
        if (word.Length > 1 && char.IsUpper(word[^1]))
            return;
        if (s_english.Contains(lower))
            english += 2;
        else if (s_other.Contains(lower))
            other += name && after.Length > 1 && after[0] == ' ' && char.IsUpper(after[1]) ? 1 : 2;
        else if (Marked(lower) is var marked and > 0)
            other += name ? 1 : marked;
        else if (!name && lower.Length > 6)
            foreach (var ending in s_endings)
                if (lower.EndsWith(ending, StringComparison.Ordinal))
                {
                    other++;
                    break;
                }
    }

    /// <summary>2 for a letter that English borrows nothing with, 1 for one that it does ("café"), 0 for none.</summary>
    private static int Marked(ReadOnlySpan<char> lower)
    {
        var marked = 0;
        foreach (var c in lower)
            if (c is >= '\u00df' and <= '\u024f' or >= '\u1e00' and <= '\u1eff')
                marked = Math.Max(marked, c is 'é' or 'è' or 'ê' or 'ç' or 'ï' or 'ñ' or 'ö' or 'ü' or 'ä' or 'á' or 'ó' or 'ã' or 'à' or 'í' or 'â'
                or 'ô' or 'î' or 'û' or 'å' or 'ø' or 'ë' or 'æ' or 'œ' or 'ú' ? 1 : 2);
        return marked;
    }

    private static bool IsWordLetter(char c) => char.IsAsciiLetter(c)
        || c is (>= '\u00c0' and <= '\u024f' and not ('×' or '÷')) or (>= '\u1e00' and <= '\u1eff');

    private static FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> Words(string words, params string[] without) =>
        words.Split(' ').Except(without, StringComparer.Ordinal).ToFrozenSet(StringComparer.Ordinal).GetAlternateLookup<ReadOnlySpan<char>>();
}
