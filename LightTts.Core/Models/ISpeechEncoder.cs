using LightTts.Timbres;

namespace LightTts.Models;

/// <summary>The encode stage's model: text to token ids, reference audio to what the
/// other stages need of a voice. Called on the encode thread only.</summary>
internal interface ISpeechEncoder : IStageModel
{
    /// <summary>Identifies the feature extractors: timbres made by one are not good for another. A SHA-256 in hexadecimal.</summary>
    string ExtractorId { get; }

    /// <summary>Extracts a voice.</summary>
    /// <param name="reference">0.5 to 30 s of speech at 16 kHz or more.</param>
    /// <param name="transcript">What it says; null where that is not known.</param>
    /// <exception cref="TtsAudioException">The audio cannot be used; the message says why.</exception>
    TimbreFeatures ExtractTimbre(AudioClip reference, string? transcript);

    /// <summary>Normalises a request's text and splits it into pieces that are spoken one
    /// after the other; lazily, so that long text costs constant memory.</summary>
    /// <remarks>From any thread.</remarks>
    IEnumerable<TextPiece> Prepare(SynthesisRequest request);

    /// <summary>What the language model is given of a voice and an instruction before the text, by the kind of the request.</summary>
    LanguagePrompt CreatePrompt(TimbreFeatures timbre, SynthesisRequest request);

    /// <summary>Starts to read text that arrives in pieces, as a request wants it read.</summary>
    ITextFeed CreateFeed(SynthesisRequest request);

    /// <summary>Starts to read speech that is to be spoken in another voice.</summary>
    /// <param name="live">Whether tokens are wanted before the source has ended.</param>
    ISourceFeed CreateSourceFeed(bool live);
}

/// <summary>A piece of a request's text that is spoken as one utterance.</summary>
/// <param name="Text">As it is spoken, normalised.</param>
/// <param name="Tokens">Token ids of it.</param>
/// <param name="Source">The part of the request's text that it comes from, in UTF-16 code units.</param>
internal sealed record TextPiece(string Text, int[] Tokens, Range Source);

/// <summary>What comes before the text in the language model's input.</summary>
/// <param name="Text">Token ids of the instruction and the transcript of the reference audio.</param>
/// <param name="Speech">Speech tokens of the reference audio; empty for cross-lingual and instructed speech.</param>
/// <param name="InstructionLength">How many of <paramref name="Text"/> are the instruction (up to and including its end mark).</param>
internal sealed record LanguagePrompt(int[] Text, int[] Speech, int InstructionLength);

/// <summary>Text in pieces, turned into token ids that do not depend on where the pieces were cut.</summary>
internal interface ITextFeed
{
    /// <summary>Takes a piece and returns what can no longer change, in spoken order.</summary>
    IEnumerable<FeedPart> Push(string piece);

    /// <summary>The source pauses: where a sentence is finished, its rest is returned,
    /// and the utterance ends with it. Where the text goes on matters then.</summary>
    IEnumerable<FeedPart> Flush();

    /// <summary>Returns the rest.</summary>
    IEnumerable<FeedPart> Finish();
}

/// <summary>Token ids of a part of streamed text.</summary>
/// <param name="Tokens">The ids.</param>
/// <param name="EndsUtterance">Whether an utterance is to end after them: a sentence ends there, and it is long enough.</param>
/// <param name="Text">The text that became spoken since the part before, normalised; at the cuts tokens may lag behind it.</param>
/// <param name="SourceEnd">Where the part ends in the text handed in so far, in UTF-16 code units.</param>
internal readonly record struct FeedPart(int[] Tokens, bool EndsUtterance, int SourceEnd, string Text);
