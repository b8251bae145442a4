namespace LightTts.Text;

/// <summary>How much of a text is written in which script.</summary>
/// <param name="Latin">Latin letters.</param>
/// <param name="Han">Chinese characters.</param>
/// <param name="Kana">Hiragana and katakana.</param>
/// <param name="Other">Letters of other scripts.</param>
internal readonly record struct ScriptCount(int Latin, int Han, int Kana, int Other)
{
    /// <summary>Whether Chinese characters are Japanese in this text: Japanese is never
    /// long without kana, while Chinese may quote one of them.</summary>
    public bool IsJapanese => Kana > 0 && Kana * 8 >= Han;

    /// <summary>The script of most of the text; a Chinese character, a syllable of kana or of another script says as much as three letters.</summary>
    public Script Main
    {
        get
        {
            var most = Math.Max(Math.Max(Latin, 3 * Han), Math.Max(3 * Kana, 2 * Other));
            return most == 0 ? Script.None : most == Latin ? Script.Latin : most == 3 * Han ? Script.Han : most == 3 * Kana ? Script.Kana
                : Script.Other;
        }
    }

    /// <summary>Counts.</summary>
    public static ScriptCount Of(ReadOnlySpan<char> text)
    {
        int latin = 0, han = 0, kana = 0, other = 0;
        foreach (var rune in text.EnumerateRunes())
            switch (Scripts.Of(rune))
            {
                case Script.Latin:
                    latin++;
                    break;
                case Script.Han:
                    han++;
                    break;
                case Script.Kana:
                    kana++;
                    break;
                case Script.Other:
                    other++;
                    break;
            }
        return new ScriptCount(latin, han, kana, other);
    }
}
