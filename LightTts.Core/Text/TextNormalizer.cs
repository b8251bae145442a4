using System.Text;
using System.Text.RegularExpressions;

namespace LightTts.Text;

/// <summary>Writes text as it is spoken: pronunciations put in, then each part in its own
/// language, English or Chinese; other languages stay as they are written.</summary>
/// <remarks>Thread-safe. Any text is accepted; the result may be empty. Time is linear: every pattern's repetitions are bounded.</remarks>
internal static partial class TextNormalizer
{
    /// <summary>Normalises a sentence or more. Tags of sounds and phonemes that the model knows, such as <c>[laughter]</c> and <c>[AA1]</c>, stay
    /// as they are; others are text.</summary>
    public static string Normalize(string text) => Normalize(text, TextOptions.Default, LanguageContext.Of(null, text));

    /// <summary>Normalises a sentence or more.</summary>
    /// <param name="text">The text.</param>
    /// <param name="options">How it is read.</param>
    /// <param name="languages">What stands around it in its text.</param>
    public static string Normalize(string text, TextOptions options, LanguageContext languages)
    {
        // A steering token that nobody allowed is a word, without the brackets that would have names.
        if (options.Normalize && !options.AllowSpecialTokens && text.Contains("<|", StringComparison.Ordinal))
            text = Steering().Replace(text, " $1 ");
        var spoken = new StringBuilder(text.Length + (text.Length / 4));
        var start = 0;
        var tags = options.Tags.GetAlternateLookup<ReadOnlySpan<char>>();
        foreach (var token in Tag().EnumerateMatches(text))
        {
            var tag = text.AsSpan(token.Index, token.Length);
            if (!SpecialTokens.IsSteering(tag) && !tags.Contains(tag))
                continue;
            Append(text[start..token.Index]);
            spoken.Append(tag);
            start = token.Index + token.Length;
        }
        Append(text[start..]);
        return options.Normalize ? ReferenceNormalizer.CloseChinese(spoken.ToString().Trim()) : spoken.ToString();

        void Append(string part)
        {
            if (part.Length > 0)
                spoken.Append(Pronouncer.Speak(part, options.Pronunciations, options.Normalize ? words =>
                TextRuns.Normalize(words, options, languages) : static words => words));
        }
    }

    /// <summary>Whether there is anything to say: a letter or a number.</summary>
    public static bool IsSpeakable(string text)
    {
        foreach (var rune in text.EnumerateRunes())
            if (Rune.IsLetterOrDigit(rune) || Rune.IsNumber(rune))
                return true;
        return false;
    }

    [GeneratedRegex(@"\[[^\[\]\s]{1,16}\]|</?[a-z]{1,12}>|<\|[A-Za-z_]{1,32}\|>")]
    private static partial Regex Tag();

    [GeneratedRegex(@"<\|([A-Za-z_]{1,32})\|>")]
    private static partial Regex Steering();
}
