namespace LightTts;

/// <summary>A piece of a request's audio, in order, with what it says and when it was ready.</summary>
public sealed class AudioChunk
{
    /// <summary>The samples: mono, 32-bit floating point in [-0.99, 0.99].</summary>
    public required ReadOnlyMemory<float> Samples { get; init; }

    /// <summary>Samples a second (Hz).</summary>
    public required int SampleRate { get; init; }

    /// <summary>The chunk's number in its request, from 0.</summary>
    public required int Index { get; init; }

    /// <summary>Where the chunk starts in the request's audio.</summary>
    public required TimeSpan Start { get; init; }

    /// <summary>How long the chunk plays.</summary>
    public TimeSpan Duration => TimeSpan.FromSeconds((double)Samples.Length / SampleRate);

    /// <summary>Which sentence of the request the chunk belongs to, from 0.</summary>
    public required int SentenceIndex { get; init; }

    /// <summary>The part of the request's text whose sentence the chunk speaks, as a
    /// range of UTF-16 code units of the text as it was handed in.</summary>
    public required Range TextRange { get; init; }

    /// <summary>The speech tokens (25 a second) that the chunk's audio was made from.</summary>
    public required ReadOnlyMemory<int> SpeechTokens { get; init; }

    /// <summary>Time from the request's acceptance to the moment the chunk was ready.</summary>
    public required TimeSpan Elapsed { get; init; }

    /// <summary>Whether this is the request's first chunk.</summary>
    public bool IsFirst => Index == 0;

    /// <summary>Whether this is the request's last chunk.</summary>
    public required bool IsLast { get; init; }

    /// <summary>Why the chunk's sentence ended, on the last chunk of each sentence; null on the others.</summary>
    public FinishReason? FinishReason { get; init; }

    /// <summary>How often the chunk's sentence was drawn again because its speech was silent or could not be its text.</summary>
    /// <value>0 to <see cref="TtsPipelineOptions.MaxRedraws"/>.</value>
    public int Redraws { get; init; }

    /// <summary>What the sentence's speech looks like beside its text, on the last chunk of each sentence; null on the others.</summary>
    /// <remarks>Whole speech is judged, and drawn again, before any of it is handed out. Of
    /// streamed speech that holds for the first second; later only this says so.</remarks>
    public SpeechQuality? Quality { get; init; }

    /// <summary>The samples as 16-bit PCM, little-endian: what sound cards and telephony take.</summary>
    /// <returns>Two bytes for each sample; see <see cref="Pcm16"/>.</returns>
    public byte[] ToPcm16() => Pcm16.Encode(Samples.Span);
}
