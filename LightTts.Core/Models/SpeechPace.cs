using System.Globalization;

namespace LightTts.Models;

/// <summary>How fast speech can plausibly be: finds sentences of which words were dropped, and such as went astray.</summary>
/// <param name="TokensPerSecond">Speech tokens in a second.</param>
/// <param name="Fastest">Letters a second above which words are missing.</param>
/// <param name="Slowest">Letters a second below which the speech is not of this text.</param>
/// <param name="Slack">Seconds that any sentence may take beyond that: silence around it, hesitation.</param>
/// <param name="Shortest">Seconds that the shortest word takes, the silence around it included: less is a word's first consonant, or nothing.</param>
/// <remarks>A letter of an alphabet counts as one, and so does a blank; a kana as two, a Chinese
/// character or a Korean syllable as three, a digit as four where speech may be too slow and as
/// one where it may be too fast. Speakers of all languages then stay between 8 and 22 a second.</remarks>
internal sealed record SpeechPace(double TokensPerSecond, double Fastest, double Slowest, double Slack, double Shortest = 0)
{
    /// <summary>Fewest tokens that the text can take.</summary>
    public int Fewest(string text) => (int)Math.Floor(Letters(text, digit: 1) / Fastest * TokensPerSecond);

    /// <summary>Fewest tokens, silent ones included, that any word takes; none where there is no letter.</summary>
    public int FewestOfAny(string text) => Letters(text, digit: 1) == 0 ? 0 : (int)Math.Round(Shortest * TokensPerSecond);

    /// <summary>Most tokens that the text can take.</summary>
    /// <remarks>No limit where no letter is known: symbols are read at whatever length they have.</remarks>
    public int Most(string text) =>
        Letters(text, digit: 4) is > 0 and var letters ? (int)Math.Min(int.MaxValue, Math.Ceiling((Slack + letters / Slowest) * TokensPerSecond))
        : int.MaxValue;

    private static int Letters(string text, int digit)
    {
        int letters = 0, blanks = 0;
        foreach (var c in text)
        {
            if (char.IsWhiteSpace(c))
                blanks++;
            else if (char.IsDigit(c))
                letters += digit;
            else if (char.IsLetter(c) || char.GetUnicodeCategory(c) is UnicodeCategory.Surrogate)
                letters += c switch { >= '\u3040' and < '\u3100' => 2, >= '\u2E80' and < '\uD800' => 3, _ => 1 };
        }
        return letters == 0 ? 0 : letters + Math.Min(blanks, letters);
    }
}
