namespace LightTts.Models.CosyVoice.Files;

/// <summary>Everything that a model directory's configuration files say about shapes and constants; nothing of it is hard-coded elsewhere.</summary>
internal sealed record CosyVoiceConfig(
    CosyVoiceGeneration Generation,
    int SampleRate,
    int TokenFrameRate,
    int TokenMelRatio,
    int ChunkTokens,
    LanguageModelConfig Language,
    FlowConfig Flow,
    VocoderConfig Vocoder,
    PromptMelConfig PromptMel);

/// <summary>Qwen2 trunk (config.json) and speech head (llm section of the yaml).</summary>
internal sealed record LanguageModelConfig
{
    public required LanguageRows Rows { get; init; }
    public required int HiddenSize { get; init; }
    public required int Layers { get; init; }
    public required int Heads { get; init; }
    public required int KvHeads { get; init; }
    public int HeadDim => HiddenSize / Heads;
    public required int IntermediateSize { get; init; }
    public required double RmsNormEps { get; init; }
    public required double RopeTheta { get; init; }
    public required int TextVocabulary { get; init; }
    public required int SpeechTokens { get; init; }
    public required int MixText { get; init; }
    public required int MixSpeech { get; init; }
    public required double TopP { get; init; }
    public required int TopK { get; init; }
    public required int RepetitionWindow { get; init; }
    public required double RepetitionThreshold { get; init; }
}

/// <summary>What the rows of the speech embedding mean behind the speech tokens; each is counted from the last of those.</summary>
/// <param name="Extra">Rows there, which are logits of the head, too.</param>
/// <param name="OwnTable">Rows of a table of their own (llm_embedding), which is kept behind the extra ones.</param>
/// <param name="Sos">Starts a sequence.</param>
/// <param name="TaskId">Ends the text.</param>
/// <param name="Eos">Ends the speech.</param>
/// <param name="Fill">Asks for more text when bi-streaming.</param>
/// <param name="HeadBias">Whether the head has a bias.</param>
/// <param name="Silent">Speech tokens of silence and breath, of which only a few in a row are spoken.</param>
internal sealed record LanguageRows(int Extra, int OwnTable, int Sos, int TaskId, int Eos, int Fill, bool HeadBias, IReadOnlySet<int> Silent);

/// <summary>Token-to-mel flow: shapes of the look-ahead layer, the estimator and the solver's constants.</summary>
internal sealed record FlowConfig
{
    public required int VocabularySize { get; init; }
    public required int InputSize { get; init; }
    public required int MelBands { get; init; }
    public required int SpeakerEmbedding { get; init; }
    public required int TokenMelRatio { get; init; }
    public required int PreLookaheadTokens { get; init; }
    public int PreLookaheadChannels { get; init; }
    public required double CfgRate { get; init; }
    public required int ChunkFrames { get; init; }

    /// <summary>CosyVoice3's estimator; null in other generations, as the others' parts are in this one.</summary>
    public DiTConfig? Dit { get; init; }

    /// <summary>CosyVoice2's encoder.</summary>
    public ConformerConfig? Conformer { get; init; }

    /// <summary>CosyVoice2's estimator.</summary>
    public UNetConfig? UNet { get; init; }
}

/// <summary>The CosyVoice3 estimator.</summary>
internal sealed record DiTConfig(int Dim, int Depth, int Heads, int HeadDim, int FeedForwardMultiple);

/// <summary>The CosyVoice2 encoder.</summary>
/// <param name="Dim">Its width.</param>
/// <param name="Heads">Of attention.</param>
/// <param name="FeedForward">Width between the layers of the feed-forward part.</param>
/// <param name="Blocks">Layers at the tokens' rate.</param>
internal sealed record ConformerConfig(int Dim, int Heads, int FeedForward, int Blocks)
{
    /// <summary>Layers at the frames' rate, for which the yaml has no field.</summary>
    public int UpBlocks => 4;
}

/// <summary>The CosyVoice2 estimator.</summary>
/// <param name="Channels">Its width.</param>
/// <param name="Heads">Of attention.</param>
/// <param name="HeadDim">Numbers in a head.</param>
/// <param name="Blocks">Transformer blocks of a level.</param>
/// <param name="MidBlocks">Levels in the middle.</param>
internal sealed record UNetConfig(int Channels, int Heads, int HeadDim, int Blocks, int MidBlocks)
{
    // Of the reference's constructors; the yaml has no fields for them.
    public const int TimeMultiple = 4;
    public const int FeedForwardMultiple = 4;
}

/// <summary>HiFT vocoder.</summary>
internal sealed record VocoderConfig
{
    public required int SampleRate { get; init; }
    public required int MelBands { get; init; }
    public required int BaseChannels { get; init; }
    public required int Harmonics { get; init; }
    public required double NsfAlpha { get; init; }
    public required double NsfSigma { get; init; }
    public required double VoicedThreshold { get; init; }
    public required int[] UpsampleRates { get; init; }
    public required int[] UpsampleKernels { get; init; }
    public required int IstftSize { get; init; }
    public required int IstftHop { get; init; }
    public required int[] ResBlockKernels { get; init; }
    public required int[][] ResBlockDilations { get; init; }
    public required int[] SourceResBlockKernels { get; init; }
    public required int[][] SourceResBlockDilations { get; init; }
    public required double LeakyReluSlope { get; init; }
    public required double AudioLimit { get; init; }

    /// <summary>Frames that the causal generator's first convolution looks ahead; 0 in the other generation.</summary>
    public int ConvPreLookRight { get; init; }

    public required int F0Channels { get; init; }
}

/// <summary>The mel spectrogram of the reference audio.</summary>
internal sealed record PromptMelConfig(int FftSize, int MelBands, int SampleRate, int HopSize, int WindowSize, double MinFrequency,
    double? MaxFrequency);
