using LightTts.Models;

namespace LightTts.Pipeline;

/// <summary>A sentence (or a few short ones) of a job: what is spoken as one piece, with speech tokens of its own.</summary>
internal sealed class Utterance(SynthesisJob job, int index, TextPiece piece)
{
    public SynthesisJob Job { get; } = job;

    /// <summary>Its number in the job, from 0; audio leaves in this order.</summary>
    public int Index { get; } = index;

    public TextPiece Piece { get; } = piece;

    /// <summary>Whether it is the job's last; for streamed text known only when the text has ended.</summary>
    public volatile bool IsLast;

    /// <summary>Where its source text ends; grows while text streams in.</summary>
    public volatile int SourceEnd = piece.Source.End.Value;

    /// <summary>How often its speech was drawn again; written by the language stage before the speech goes on.</summary>
    public volatile int Redraws;

    /// <summary>What the speech looks like beside the text; written by the language stage before the utterance's end goes on.</summary>
    public volatile SpeechQuality Quality;

    /// <summary>Its speech tokens, from the language stage to the decode stage.</summary>
    public SpeechTokenQueue Tokens { get; } = new();

    /// <summary>Whether its text arrives in pieces.</summary>
    public bool IsFed { get; init; }
}
