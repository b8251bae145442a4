namespace LightTts.Models.CosyVoice.Vocoder;

/// <summary>Mel spectrogram to samples, in pieces. One for each kind of network, device and engine.</summary>
internal interface IVocoder : IDisposable
{
    /// <summary>Samples that one mel frame becomes.</summary>
    int SamplesPerFrame { get; }

    /// <summary>Frames whose samples are withheld until the last call.</summary>
    int HeldFrames { get; }

    /// <summary>Makes ready what passes would otherwise wait for, on the thread that runs them; when everything else has been loaded.</summary>
    /// <param name="maxRows">Utterances of a pass.</param>
    void Prepare(int maxRows)
    {
    }

    /// <summary>Starts an utterance; cheap.</summary>
    /// <param name="pieces">How its mel comes; by default at once, or in whatever pieces.</param>
    IVocoderState CreateState(MelPieces pieces = default);

    /// <summary>Opens a pass over the new frames of every row; the samples that became ready
    /// are written into the rows. Passes that are open may be advanced side by side.</summary>
    /// <param name="rows">Rows of different states.</param>
    IDecodePass Begin(IReadOnlyList<VocoderRow> rows);
}

/// <summary>How an utterance's mel comes: in pieces that end at known frames, of which one pass may bring several.</summary>
/// <remarks>A vocoder whose samples depend on where it cuts cuts there, so that they do not depend on what came when.</remarks>
/// <param name="First">Frames of the first piece.</param>
/// <param name="Every">Frames of each further piece but the last; 0: unknown.</param>
internal readonly record struct MelPieces(int First, int Every);

/// <summary>What one utterance carries between vocoder passes.</summary>
internal interface IVocoderState : IDisposable
{
    /// <summary>Bytes that the state holds now.</summary>
    long CacheBytes { get; }
}
