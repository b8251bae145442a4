namespace LightTts.Models;

/// <summary>Speech in pieces, turned into speech tokens that do not depend on where the pieces were cut.</summary>
/// <remarks>For use from one thread.</remarks>
internal interface ISourceFeed
{
    /// <summary>Takes a piece.</summary>
    /// <exception cref="TtsAudioException">It cannot be used; the message says why.</exception>
    void Push(AudioClip piece);

    /// <summary>There are no more pieces.</summary>
    /// <exception cref="TtsAudioException">There was too little.</exception>
    void Complete();

    /// <summary>The next tokens, at the cost of one run of the tokenizer.</summary>
    /// <returns>Null where more audio is needed first.</returns>
    SourcePart? Next();
}

/// <summary>Speech tokens of a part of the source.</summary>
/// <param name="Tokens">The tokens, in order; may be none at the end.</param>
/// <param name="EndsUtterance">Whether the speaker pauses after them, so that what follows is decoded by itself.</param>
/// <param name="IsLast">Whether nothing follows.</param>
internal readonly record struct SourcePart(int[] Tokens, bool EndsUtterance, bool IsLast);
