namespace LightTts.Models.CosyVoice.Vocoder;

/// <summary>Mel spectrogram to samples, in pieces. One for each kind of network, device and engine.</summary>
internal interface IVocoder : IDisposable
{
    /// <summary>Samples that one mel frame becomes.</summary>
    int SamplesPerFrame { get; }

    /// <summary>Frames whose samples are withheld until the last call.</summary>
    int HeldFrames { get; }

    /// <summary>Starts an utterance; cheap.</summary>
    IVocoderState CreateState();

    /// <summary>Opens a pass over the new frames of every row; the samples that became ready
    /// are written into the rows. Passes that are open may be advanced side by side.</summary>
    /// <param name="rows">Rows of different states.</param>
    IDecodePass Begin(IReadOnlyList<VocoderRow> rows);
}

/// <summary>What one utterance carries between vocoder passes.</summary>
internal interface IVocoderState : IDisposable
{
    /// <summary>Bytes that the state holds now.</summary>
    long CacheBytes { get; }
}
