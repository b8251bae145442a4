using LightTts.Timbres;

namespace LightTts.Pipeline;

/// <summary>The encode stage's model: text to token ids, reference audio to what the other stages need of a voice. Called on the encode thread only.</summary>
internal interface ISpeechEncoder : IDisposable
{
    /// <summary>Identifies the feature extractors: timbres made by one are not good for another. A SHA-256 in hexadecimal.</summary>
    string ExtractorId { get; }

    /// <summary>Extracts a voice.</summary>
    /// <param name="reference">0.5 to 30 s of speech at 16 kHz or more.</param>
    /// <param name="transcript">What it says; null where that is not known.</param>
    /// <exception cref="TtsAudioException">The audio cannot be used; the message says why.</exception>
    TimbreFeatures ExtractTimbre(AudioClip reference, string? transcript);

    /// <summary>Normalises a request's text and splits it into pieces that are spoken one after the other; lazily, so that long text costs constant memory.</summary>
    IEnumerable<TextPiece> Prepare(string text, bool normalize);

    /// <summary>Token ids of text that is spoken as it is (prompts, instructions, pieces of streamed text).</summary>
    int[] Tokenize(string text);
}

/// <summary>A piece of a request's text that is spoken as one utterance.</summary>
/// <param name="Text">As it is spoken, normalised.</param>
/// <param name="Tokens">Token ids of it.</param>
/// <param name="Source">The part of the request's text that it comes from, in UTF-16 code units.</param>
internal sealed record TextPiece(string Text, int[] Tokens, Range Source);
