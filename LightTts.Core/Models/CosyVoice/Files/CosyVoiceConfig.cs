namespace LightTts.Models.CosyVoice.Files;

/// <summary>The generation of a CosyVoice model directory.</summary>
internal enum CosyVoiceVersion
{
    V2 = 2,
    V3 = 3,
}

/// <summary>Everything that a model directory's configuration files say about shapes and constants; nothing of it is hard-coded elsewhere.</summary>
internal sealed record CosyVoiceConfig(
    CosyVoiceVersion Version,
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
    public required CosyVoiceVersion Version { get; init; }
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

/// <summary>Token-to-mel flow: shapes of the look-ahead layer, the estimator and the solver's constants.</summary>
internal sealed record FlowConfig
{
    public required int VocabularySize { get; init; }
    public required int InputSize { get; init; }
    public required int MelBands { get; init; }
    public required int SpeakerEmbedding { get; init; }
    public required int TokenMelRatio { get; init; }
    public required int PreLookaheadTokens { get; init; }
    public required int PreLookaheadChannels { get; init; }
    public required double CfgRate { get; init; }
    public required int ChunkFrames { get; init; }
    public required DiTConfig? Dit { get; init; }
}

/// <summary>The CosyVoice3 estimator.</summary>
internal sealed record DiTConfig(int Dim, int Depth, int Heads, int HeadDim, int FeedForwardMultiple);

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
    public required int ConvPreLookRight { get; init; }
    public required int F0Channels { get; init; }
}

/// <summary>The mel spectrogram of the reference audio.</summary>
internal sealed record PromptMelConfig(int FftSize, int MelBands, int SampleRate, int HopSize, int WindowSize, double MinFrequency,
    double? MaxFrequency);
