namespace LightTts.Pipeline;

internal enum DecodeMessageKind
{
    /// <summary>The utterance has entered the language stage's batch.</summary>
    Begin,

    /// <summary>The value is its next speech token.</summary>
    Token,

    /// <summary>No token will come for a while (its text source stalls): hand out what is there.</summary>
    Stall,

    /// <summary>It has no more tokens; the value is the <see cref="FinishReason"/>.</summary>
    End,
}

/// <summary>A message to the decode stage; the default value only wakes it.</summary>
/// <param name="Utterance">Which utterance.</param>
/// <param name="Kind">What happened to it.</param>
/// <param name="Value">The token, or the reason of the end.</param>
/// <param name="Tokens">Several tokens instead of <paramref name="Value"/>, in order.</param>
internal readonly record struct DecodeMessage(Utterance? Utterance, DecodeMessageKind Kind, int Value, int[]? Tokens = null);
