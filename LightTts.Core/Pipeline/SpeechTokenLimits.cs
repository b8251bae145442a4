using LightTts.Models;

namespace LightTts.Pipeline;

/// <summary>How many speech tokens an utterance gets.</summary>
/// <param name="Min">Tokens before which the end is forbidden.</param>
/// <param name="Max">Tokens after which it is cut off.</param>
internal readonly record struct SpeechTokenLimits(int Min, int Max)
{
    /// <summary><c>min_token_text_ratio</c> of the reference.</summary>
    public const int MinPerTextToken = 2;

    /// <summary><c>max_token_text_ratio</c> of the reference: 0.8 s of speech for a text token.</summary>
    public const int MaxPerTextToken = 20;

    /// <summary>The reference's limits for a text, the upper one lowered to what the request asks for.</summary>
    /// <param name="textTokens">Tokens of the text to speak, without the prompt's.</param>
    /// <param name="requested">The request's own upper limit, or null.</param>
    public static SpeechTokenLimits ForText(int textTokens, int? requested)
    {
        var max = (int)Math.Min((long)textTokens * MaxPerTextToken, requested ?? int.MaxValue);
        return new SpeechTokenLimits((int)Math.Min((long)textTokens * MinPerTextToken, max), max);
    }
}
