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

    /// <summary>Rows that one pass takes at the most.</summary>
    int MaxRows { get; }

    /// <summary>Starts an utterance.</summary>
    IDecodeState CreateState(TimbreFeatures timbre, DecodeOptions options);

    /// <summary>Decodes what is ready of every row in one pass; results are written into the rows. A row that fails gets its error, the others are not affected.</summary>
    /// <param name="rows">Rows of different states.</param>
    /// <param name="interlude">Called between the parts of a long pass, where there are any: the caller may decode rows of other states meanwhile. Must not throw.</param>
    void Decode(IReadOnlyList<DecodeRow> rows, Action? interlude = null);
}

/// <summary>How an utterance is decoded.</summary>
/// <param name="Streaming">Chunk-causal in pieces, or offline in one pass.</param>
/// <param name="FlowSteps">Solver steps.</param>
/// <param name="Speed">Speaking rate; 1 when streaming.</param>
internal readonly record struct DecodeOptions(bool Streaming, int FlowSteps, double Speed);

/// <summary>What an utterance carries between passes: flow keys/values, convolution tails, vocoder tails, tokens that wait for look-ahead.</summary>
internal interface IDecodeState : IDisposable
{
    /// <summary>Tokens that must come in addition before a non-final pass yields audio. Without streaming: int.MaxValue.</summary>
    int TokensWanted { get; }

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
