using LightTts.Models;

namespace LightTts.Pipeline;

/// <summary>An utterance whose text is known as a whole: sos, prompt text, text, task, prompt speech, then one token after the other.</summary>
internal sealed class OneShotTokenStream : SpeechTokenStream
{
    private readonly SpeechTokenLimits _limits;

    /// <summary>Starts an utterance.</summary>
    /// <param name="vocabulary">The model's steering ids.</param>
    /// <param name="promptText">Token ids of the instruction and the reference's transcript; may be empty.</param>
    /// <param name="text">Token ids of what is to be said; empty text is over at once.</param>
    /// <param name="promptSpeech">Speech tokens of the reference; may be empty.</param>
    /// <param name="limits">How long it may get.</param>
    /// <param name="seed">Keys the random numbers.</param>
    public OneShotTokenStream(
        SpeechVocabulary vocabulary,
        ReadOnlySpan<int> promptText,
        ReadOnlySpan<int> text,
        ReadOnlySpan<int> promptSpeech,
        SpeechTokenLimits limits,
        ulong seed)
        : base(vocabulary, seed)
    {
        _limits = limits;
        Queue(vocabulary.Sos);
        Queue(promptText);
        Queue(text);
        Queue(vocabulary.TaskId);
        foreach (var token in promptSpeech)
            Queue(Speech(token));
        if (limits.Max <= 0)
            Finish(text.IsEmpty ? LightTts.FinishReason.Stop : LightTts.FinishReason.Length);
    }

    protected override bool DrawsNext => true;

    public override NextInput Next => History.Count + 1 < _limits.Max ? NextInput.DrawnToken : NextInput.None;

    protected override bool IgnoreEosAfter(int tokens) => tokens < _limits.Min;

    protected override bool Take(int token)
    {
        if (Vocabulary.IsStop(token))
        {
            Finish(LightTts.FinishReason.Stop);
            return false;
        }

        Remember(token);
        if (History.Count >= _limits.Max)
            Finish(LightTts.FinishReason.Length);
        else
            Queue(Speech(token));
        return true;
    }
}
