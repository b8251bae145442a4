using System.Collections.Frozen;

namespace LightTts.Text.Languages;

/// <summary>The languages beside English and Chinese whose figures are written out, and how they are told apart.</summary>
internal static class SpokenLanguage
{
    private static readonly Dictionary<string, Lazy<Func<string, string>>> s_readers = new(StringComparer.Ordinal)
    {
        ["de"] = new(() => new German().Read), ["fr"] = new(() => new French().Read), ["es"] = new(() => new Spanish().Read),
        ["it"] = new(() => new Italian().Read), ["ru"] = new(() => new Russian().Read), ["ja"] = new(() => Japanese.Read), ["ko"] = new(()
            => Korean.Read),
    };

    // Small words that say which language in Latin letters it is; of those without rules, too, so that they are not taken for another.
    private static readonly (string? Code, FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> Words)[] s_words =
    [
        ("de", Set("der die das und ist nicht ein eine einen einem einer des dem den auf für mit sich auch aus bei nach wie oder aber wenn kann "
            + "haben hatte "
            + "wird werden wurde sind ich sie wir ihr kostet zum zur vom beim über unter nur noch schon sehr mehr als bis durch uhr heute morgen "
            + "gestern "
            + "jahre jahren etwa rund es im am um von zu seit hat war waren")),
        ("fr", Set("le la les des du une un est et dans pour pas que qui sur avec vous nous je il elle ils mais ou où cette ce ces sont était "
            + "coûte être avoir "
            + "fait très bien plus par aux au bonjour merci heures ans à de en depuis jusqu'à c'est n'est j'ai l'a d'un d'une qu'il a ont")),
        ("es", Set("el los las del una un por con para es está esta este pero muy como más sus cuesta años horas gracias buenos hola señor cuando "
            + "también hay "
            + "fue son la de en y que se a al mide pesa desde hasta tiene")),
        ("it", Set("il lo gli di della dei delle nel nella che è per sono non un una più anche come questo questa costa anni ore grazie buongiorno "
            + "alle sul con "
            + "ho hai la le i e dal al da a in del si ha pesa")),
        (null, Set("um uma não são com mais foi ser tem você obrigado bom custa anos dos das nos ao pelo pela muito isso ele ela seu sua o os e em "
            + "que do da")),
        (null, Set("het een van niet zijn met voor aan ook maar naar bij deze wordt worden heeft hebben uit dat dit geen nog wel dan kost jaar "
            + "goed dag de en")),
        (null, Set("nie jest się na że jak ale czy już tylko przez dla od jego je ve si jako jsou nebo och att det som på en av är til ikke og ett "
            + "den "
            + "és az egy hogy nem bir bu ve için ile un și este cu din pe")),
    ];

    /// <summary>Whether a language's figures are written out.</summary>
    public static bool Has(string code) => s_readers.ContainsKey(code);

    /// <summary>Writes a text's figures out in a language that it has.</summary>
    public static string Read(string code, string text) => s_readers[code].Value(text);

    /// <summary>Which of the languages in Latin letters a text that is not English is in; null where that is none of these, or not plain.</summary>
    /// <param name="text">The text.</param>
    /// <param name="least">Signs of it that there have to be.</param>
    public static string? OfLatin(ReadOnlySpan<char> text, int least = 1)
    {
        Span<int> found = stackalloc int[s_words.Length];
        Span<char> lower = stackalloc char[24];
        for (int i = 0, start; i < text.Length; i++)
        {
            if (!char.IsLetter(text[i]))
                continue;
            for (start = i; i < text.Length && (char.IsLetter(text[i]) || text[i] is '\'' or '’'); i++)
            {
            }
            // Letters of abbreviations ("e.g.") are no words.
            if (i - start > lower.Length || (i - start == 1 && ((i < text.Length && text[i] == '.') || (start > 0 && text[start - 1] == '.'))))
                continue;
            var word = lower[..text[start..i].ToLowerInvariant(lower)];
            word.Replace('’', '\'');
            for (var language = 0; language < s_words.Length; language++)
                if (s_words[language].Words.Contains(word))
                    found[language]++;
            foreach (var c in word)
                found[c switch { 'ß' => 0, 'œ' or 'ê' or 'û' or 'ë' => 1, 'ñ' or '¿' => 2, 'ã' or 'õ' => 4, _ => 0 }] += c is 'ß' or 'œ' or 'ê'
                    or 'û' or 'ë' or 'ñ'
                    or 'ã' or 'õ' ? 2 : 0;
        }
        var best = 0;
        for (var language = 1; language < found.Length; language++)
            if (found[language] > found[best])
                best = language;
        if (found[best] < least)
            return null;
        for (var language = 0; language < found.Length; language++)
            if (language != best && found[language] == found[best] && s_words[language].Code != s_words[best].Code)
                return null;
        return s_words[best].Code;
    }

    /// <summary>The language of letters that are neither Latin nor Chinese.</summary>
    public static string? OfOther(ReadOnlySpan<char> text)
    {
        int kana = 0, hangul = 0, cyrillic = 0;
        foreach (var c in text)
        {
            if (c is >= '\u3041' and <= '\u30fa')
                kana++;
            else if (c is >= '\uac00' and <= '\ud7a3')
                hangul++;
            else if (c is 'і' or 'ї' or 'є' or 'ґ' or 'ў' or 'ј' or 'љ' or 'њ' or 'ћ' or 'ђ' or 'џ' or 'ѓ' or 'ќ')
                return null; // Ukrainian, Belarusian, Serbian, Macedonian
            else if (c is >= 'А' and <= 'я' or 'ё' or 'Ё')
                cyrillic++;
        }
        return kana == 0 && hangul == 0 && cyrillic == 0 ? null : kana >= hangul && kana >= cyrillic ? "ja" : hangul >= cyrillic ? "ko" : "ru";
    }

    private static FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> Set(string words) =>
        words.Split(' ').ToFrozenSet(StringComparer.Ordinal).GetAlternateLookup<ReadOnlySpan<char>>();
}
