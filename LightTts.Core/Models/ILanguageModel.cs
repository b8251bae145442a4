namespace LightTts.Models;

/// <summary>The language stage's model: text tokens in, speech tokens out, one for each row and step. Called on the language thread only.</summary>
internal interface ILanguageModel : IStageModel
{
    /// <summary>The ids that steer generation.</summary>
    SpeechVocabulary Vocabulary { get; }

    /// <summary>How fast its speech can plausibly be.</summary>
    SpeechPace Pace { get; }

    /// <summary>Positions in one block of the KV cache.</summary>
    int KvBlockSize { get; }

    /// <summary>Blocks in the pool, and those not in use now.</summary>
    int KvBlocks { get; }

    /// <inheritdoc cref="KvBlocks"/>
    int FreeKvBlocks { get; }

    /// <summary>A new, empty sequence. It takes KV blocks as it grows and gives them back when it is disposed.</summary>
    ILanguageState CreateState();

    /// <summary>Begins to feed every row's inputs in one pass, and to draw a token for every row that asks for one.</summary>
    /// <param name="rows">Rows of different sequences, at most <see cref="LanguageLimits.MaxRows"/>; they and the list are to be left alone until
    /// they are collected. A row that fails (non-finite logits) gets its <see cref="LanguageRow.Error"/>, the others are not affected.</param>
    void Launch(IReadOnlyList<LanguageRow> rows);

    /// <summary>Waits for the step that was launched first, and writes its results into its rows.</summary>
    void Collect();

    /// <summary>Whether one more step may be launched behind the one under way, before that is collected: its rows may then follow those of the
    /// other (<see cref="LanguageRow.Follows"/>).</summary>
    bool CanFollow { get; }

    /// <summary>What one step may hold.</summary>
    LanguageLimits Limits { get; }
}

/// <summary>What one step of a language model may hold.</summary>
/// <param name="MaxRows">Sequences.</param>
/// <param name="PrefillTokens">Positions of prompts beside running sequences, so that a long prompt does not stall them.</param>
/// <param name="Newcomers">Streams that have no audio yet. Where a step takes longer with
/// every row, a few at a time reach the decode stage earlier than all together.</param>
/// <param name="Yields">Whether a step takes hardly longer with more rows and slows down the decoder beside it, so that it waits for
/// somebody who needs its tokens soon, and then takes everybody along.</param>
/// <param name="YieldsToFirstAudio">Whether its steps take processors from decoding, so that sequences for which it is early sit out while
/// somebody's first audio is decoded.</param>
internal readonly record struct LanguageLimits(int MaxRows, int PrefillTokens, int Newcomers = int.MaxValue, bool Yields = false,
    bool YieldsToFirstAudio = false);

/// <summary>A sequence's place in the KV cache.</summary>
internal interface ILanguageState : IDisposable
{
    /// <summary>Positions in the cache.</summary>
    int Length { get; }

    /// <summary>Forgets the last positions, which a step under way may still feed: other inputs will take their places.</summary>
    void Retreat(int positions);

    /// <summary>Gives all blocks back and forgets the sequence, so that it can be fed again from its start (preemption).</summary>
    void Reset();
}

/// <summary>One sequence's part of a step.</summary>
/// <remarks>Inputs are encoded ids: a text token is its id, speech-embedding row s is <c>~s</c> (so always negative).</remarks>
internal sealed class LanguageRow
{
    public required ILanguageState State { get; init; }

    /// <summary>What to feed, at least one id.</summary>
    public required ReadOnlyMemory<int> Inputs { get; set; }

    /// <summary>How to draw the next token after the last input; null for a piece of a prompt that goes on in a later step.</summary>
    public TokenDraw? Draw { get; set; }

    /// <summary>The row of the step under way whose token, which nobody knows yet, is this row's one input, in place of <see cref="Inputs"/>, and
    /// the last of its history; null where the inputs are known.</summary>
    public LanguageRow? Follows { get; set; }

    /// <summary>Which of its step's draws this row's is; the model's own.</summary>
    public int DrawNumber { get; set; } = -1;

    /// <summary>The drawn token, set by the step; -1 where none was asked for.</summary>
    public int Token { get; set; } = -1;

    /// <summary>Why this row failed, set by the step; null where it did not.</summary>
    public Exception? Error { get; set; }
}

/// <summary>Everything that decides a draw: a pure function of this and the logits.</summary>
/// <param name="Seed">The request's seed.</param>
/// <param name="Position">Counts the draws of the sequence, from 0: (seed, position) keys the random numbers.</param>
/// <param name="History">Tokens drawn so far in this sequence, oldest first (repetition-aware sampling looks at the last few).</param>
/// <param name="IgnoreEos">Whether the end is forbidden here (the reference's ignore_eos).</param>
/// <param name="MayFill">Whether more text may be asked for all the same, where the end
/// is forbidden: between the turns of a bi-streamed utterance.</param>
/// <param name="Sampling">What of the model's way to draw is to be otherwise; null: nothing.</param>
internal readonly record struct TokenDraw(ulong Seed, int Position, IReadOnlyList<int> History, bool IgnoreEos, bool MayFill = false,
    SamplingOptions? Sampling = null);

/// <summary>Ids of the speech side: [0, Size) are sounds, the rest steer.</summary>
/// <param name="Size">Number of sounds.</param>
/// <param name="LogitCount">Number of logits.</param>
/// <param name="Sos">Encoded input (see <see cref="LanguageRow"/>) that starts a sequence.</param>
/// <param name="TaskId">Encoded input between text and speech.</param>
/// <param name="Eos">Ends a bi-streamed utterance.</param>
/// <param name="Fill">Asks for more text in a bi-streamed utterance.</param>
/// <param name="FirstStop">First of the ids that end generation.</param>
/// <param name="LastStop">Last of them.</param>
/// <param name="IgnoreEosMask">The id that the reference forbids where the end is forbidden
/// (CosyVoice3's is not <paramref name="Eos"/>); here all from <paramref name="FirstStop"/> to
/// <paramref name="LastStop"/> are.</param>
/// <param name="MixText">Text tokens in each turn of a bi-streamed utterance.</param>
/// <param name="MixSpeech">Speech tokens in each turn of a bi-streamed utterance.</param>
/// <param name="SilentTokens">Sounds of silence, of which at most five in a row are kept; empty where the model has no such rule.</param>
internal sealed record SpeechVocabulary(
    int Size, int LogitCount, int Sos, int TaskId, int Eos, int Fill, int FirstStop, int LastStop, int IgnoreEosMask, int MixText, int MixSpeech,
    IReadOnlySet<int> SilentTokens)
{
    public bool IsStop(int token) => token >= FirstStop && token <= LastStop;
}
