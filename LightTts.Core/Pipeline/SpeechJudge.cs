using LightTts.Models;

namespace LightTts.Pipeline;

/// <summary>Looks at a sentence's finished speech tokens and says whether they can be its text.</summary>
/// <remarks>A pure function of text and tokens, so that what is drawn again does not depend on load, batch or time.</remarks>
internal static class SpeechJudge
{
    /// <summary>Judges an utterance.</summary>
    /// <param name="pace">What the model's speech is like.</param>
    /// <param name="vocabulary">The model's sounds, and which of them are silence.</param>
    /// <param name="text">What was to be spoken.</param>
    /// <param name="stream">Its tokens; finished.</param>
    /// <param name="isCutByRequest">Whether the request itself asked for so few tokens.</param>
    public static Verdict Judge(SpeechPace pace, SpeechVocabulary vocabulary, string text, SpeechTokenStream stream, bool isCutByRequest)
    {
        var (sounds, audible) = Count(vocabulary, stream);
        if (isCutByRequest && stream.FinishReason == FinishReason.Length)
            return Verdict.Plausible;
        if (audible == 0)
            return Verdict.Silent;
        if (sounds > pace.Most(text) || stream.FinishReason == FinishReason.Length)
            return Verdict.TooLong;
        return audible < pace.Fewest(text) || sounds < pace.FewestOfAny(text) ? Verdict.TooShort : Verdict.Plausible;
    }

    /// <summary>How far an implausible utterance is from a plausible length: by what
    /// factor it is too long or too short; silence is farthest.</summary>
    public static double Distance(SpeechPace pace, SpeechVocabulary vocabulary, string text, SpeechTokenStream stream, Verdict verdict)
    {
        var (sounds, audible) = Count(vocabulary, stream);
        return verdict switch
        {
            Verdict.Plausible => 0,
            Verdict.Silent => double.PositiveInfinity,
            Verdict.TooLong => Math.Max(1, (double)sounds / pace.Most(text)),
            _ => Math.Max((double)pace.Fewest(text) / audible, (double)pace.FewestOfAny(text) / sounds),
        };
    }

    private static (int Sounds, int Audible) Count(SpeechVocabulary vocabulary, SpeechTokenStream stream)
    {
        var (sounds, audible) = (0, 0);
        foreach (var token in stream.History)
        {
            sounds += token < vocabulary.Size ? 1 : 0;
            audible += token < vocabulary.Size && !vocabulary.SilentTokens.Contains(token) ? 1 : 0;
        }
        return (sounds, audible);
    }
}

/// <summary>What <see cref="SpeechJudge"/> says.</summary>
internal enum Verdict
{
    Plausible,
    TooShort,
    TooLong,
    Silent,
}
