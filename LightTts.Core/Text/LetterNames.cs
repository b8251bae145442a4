namespace LightTts.Text;

/// <summary>Spells the name of a letter that stands alone, for models that have learnt letters inside of texts only: "F." becomes "Ef.".</summary>
internal static class LetterNames
{
    private static readonly string[] s_names =
    [
        "Ay", "Bee", "See", "Dee", "Ee", "Ef", "Gee", "Aitch", "I", "Jay", "Kay", "El", "Em", "En", "Oh", "Pee", "Cue", "Ar", "Ess", "Tee", "You",
            "Vee", "Double you", "Ex", "Why", "Zee",
    ];

    /// <summary>The text with its letter's name, where one Latin letter is all that it says; otherwise the text as it is.</summary>
    /// <param name="text">An utterance.</param>
    /// <param name="british">Whether the last letter is called "zed".</param>
    public static string Apply(string text, bool british)
    {
        var at = -1;
        for (var i = 0; i < text.Length; i++)
        {
            if (!char.IsLetterOrDigit(text[i]) && !char.IsSurrogate(text[i]))
                continue;
            if (at >= 0 || !char.IsAsciiLetter(text[i]))
                return text;
            at = i;
        }
        if (at < 0)
            return text;
        var letter = char.ToUpperInvariant(text[at]);
        return string.Concat(text.AsSpan(0, at), british && letter == 'Z' ? "Zed" : s_names[letter - 'A'], text.AsSpan(at + 1));
    }
}
