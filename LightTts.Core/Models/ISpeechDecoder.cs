using LightTts.Timbres;

namespace LightTts.Models;

/// <summary>The decode stage's model: speech tokens in, samples out (flow matching, then vocoder). Called on the decode thread only.</summary>
internal interface ISpeechDecoder : IStageModel
{
    int SampleRate { get; }

    /// <summary>Samples that one speech token becomes.</summary>
    int SamplesPerToken { get; }

    /// <summary>Tokens in one chunk of the chunk-causal mask.</summary>
    int ChunkTokens { get; }

    /// <summary>Tokens that a pass takes of a stream without giving their audio yet, about: what it looks ahead at and what it holds back.</summary>
    double HeldTokens => 0;

    /// <summary>Whether the rows of a pass are one batch, in which each further one costs less than the first.</summary>
    bool IsBatched => false;

    /// <summary>Rows that one pass takes at the most.</summary>
    int MaxRows { get; }

    /// <summary>Passes that may be open at the same time, at least 1. Each holds its own
    /// working memory; a decoder with buffers of one size has few.</summary>
    int MaxOpenPasses { get; }

    /// <summary>Memory that it keeps for its caches; asked for on any thread.</summary>
    DecodeMemory Memory => default;

    /// <summary>Starts an utterance; cheap, as the voice's prompt is computed in a pass of its own or in the utterance's first.</summary>
    IDecodeState CreateState(TimbreFeatures timbre, DecodeOptions options);

    /// <summary>Opens the pass that computes what all utterances in a state's voice share, to be done before the state's first rows.</summary>
    /// <returns>Null where there is nothing to share, or it is there already and the state has been given it.</returns>
    IDecodePass? BeginPrompt(IDecodeState state);

    /// <summary>Opens a pass over what is ready of every row; results are written into
    /// the rows. A row that fails gets its error, the others are not affected.</summary>
    /// <param name="rows">Rows of different states, none of which is in another open pass. They may be disposed after the pass only.</param>
    IDecodePass Begin(IReadOnlyList<DecodeRow> rows);
}

/// <summary>How an utterance is decoded.</summary>
/// <param name="Streaming">Chunk-causal in pieces, or offline in one pass.</param>
/// <param name="FlowSteps">Solver steps.</param>
/// <param name="Speed">Speaking rate; 1 when streaming.</param>
/// <param name="FirstFlowSteps">Solver steps of a stream's first chunk, where they are to be fewer.</param>
internal readonly record struct DecodeOptions(bool Streaming, int FlowSteps, double Speed, int? FirstFlowSteps = null);

/// <summary>Memory of a decoder's caches, in bytes.</summary>
/// <param name="Pool">Taken from the system for them.</param>
/// <param name="InUse">Of these, what holds something.</param>
/// <param name="Prompts">Prompts of voices that are kept for their next utterance.</param>
/// <param name="Limit">The most that may be in use; 0: there is no limit.</param>
internal readonly record struct DecodeMemory(long Pool, long InUse, long Prompts, long Limit = 0)
{
    /// <summary>Whether so little is left, prompts given up, that who has time leaves it to others.</summary>
    public bool IsShort => Limit > 0 && InUse - Prompts > Limit - Limit / 8;
}

/// <summary>What an utterance carries between passes: flow keys/values, convolution tails, vocoder tails, tokens that wait for look-ahead.</summary>
internal interface IDecodeState : IDisposable
{
    /// <summary>Tokens that must come in addition before a non-final pass yields audio. Without streaming: int.MaxValue.</summary>
    int TokensWanted { get; }

    /// <summary>Whether, when it was made, the part of its voice's prompt that utterances
    /// share was still to be computed (<see cref="ISpeechDecoder.BeginPrompt"/>).</summary>
    bool NeedsPrompt { get; }

    /// <summary>When the listener runs out of audio, on a clock that all states share: where memory is short, those give theirs up first who
    /// run dry last. Brought up to date before each pass.</summary>
    TimeSpan Deadline { set { } }

    /// <summary>Bytes of cache that the state holds now.</summary>
    long CacheBytes { get; }
}

/// <summary>One utterance's part of a decode pass.</summary>
internal sealed class DecodeRow
{
    public required IDecodeState State { get; init; }

    /// <summary>Tokens that were not handed over before.</summary>
    public required ReadOnlyMemory<int> Tokens { get; init; }

    /// <summary>Whether these are the last.</summary>
    public required bool Final { get; init; }

    /// <summary>The samples that became ready, set by the pass; may be empty.</summary>
    public float[] Samples { get; set; } = [];

    /// <summary>Why this row failed, set by the pass.</summary>
    public Exception? Error { get; set; }
}
