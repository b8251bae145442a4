using System.Collections.Frozen;
using LightTts.Models.CosyVoice.Files;
using LightTts.Models.CosyVoice.Flow;
using LightTts.Models.CosyVoice.Flow.Conformer;
using LightTts.Models.CosyVoice.Flow.DiT;
using LightTts.Models.CosyVoice.Flow.Ort;
using LightTts.Models.CosyVoice.Flow.UNet;
using LightTts.Models.CosyVoice.Vocoder;
using LightTts.Onnx;
using LightTts.Torch;
using LightTts.Weights;

namespace LightTts.Models.CosyVoice;

/// <summary>What a model generation is: what its directory is called inside, what its language model's rows mean, and which parts it is made of.
/// A generation is one of these; nothing else asks which one it is.</summary>
/// <remarks>No generation's language model is given a speaker embedding: the reference hands one over, and both of its classes leave it.</remarks>
internal sealed record CosyVoiceGeneration
{
    public required ModelFamily Family { get; init; }

    /// <summary>What people call it.</summary>
    public string Name => Family.ToString();

    /// <summary>The file that a directory of this generation is known by.</summary>
    public required string YamlFile { get; init; }

    public required string SpeechTokenizerFile { get; init; }

    /// <summary>Tokens that it adds to Qwen2's, in the order of their ids.</summary>
    public required IReadOnlyList<string> AddedTokens { get; init; }

    /// <summary>What the prompt text starts with where the directory does not say it; empty where it starts with nothing.</summary>
    public required string InstructionPrefix { get; init; }

    /// <summary>Class of the yaml's llm section, by which a yaml of another generation is recognised; likewise flow and vocoder.</summary>
    public required string LanguageClass { get; init; }

    public required string FlowClass { get; init; }

    public required string VocoderClass { get; init; }

    public required LanguageRows LanguageRows { get; init; }

    /// <summary>Adds what only this generation's flow section says.</summary>
    public required Func<ConfigSection, FlowConfig, FlowConfig> ReadFlow { get; init; }

    /// <summary>Adds what only this generation's hift section says.</summary>
    public required Func<ConfigSection, VocoderConfig, VocoderConfig> ReadVocoder { get; init; }

    /// <summary>The flow's encoder and estimator.</summary>
    public required FlowParts FlowParts { get; init; }

    /// <summary>Whether TensorRT computes its estimator in 16-bit floating point where nobody says otherwise; as the seed does it.</summary>
    public bool DecodesInHalfPrecision { get; init; }

    /// <summary>Writes its estimator as a graph.</summary>
    public required Action<WeightReader, FlowConfig, OnnxGraph> WriteEstimator { get; init; }

    /// <summary>Reads hift.pt.</summary>
    public required Func<ITensorArchive, CosyVoiceConfig, TorchDevice, IVocoder> LoadVocoder { get; init; }

    public static CosyVoiceGeneration V2 { get; } = new()
    {
        Family = ModelFamily.CosyVoice2,
        YamlFile = "cosyvoice2.yaml",
        SpeechTokenizerFile = "speech_tokenizer_v2.onnx",
        AddedTokens = Text.SpecialTokens.Version2,
        InstructionPrefix = "",
        LanguageClass = "Qwen2LM",
        FlowClass = "CausalMaskedDiffWithXvec",
        VocoderClass = "HiFTGenerator",
        LanguageRows = new LanguageRows(Extra: 3, OwnTable: 2, Sos: 3, TaskId: 4, Eos: 0, Fill: 2, HeadBias: true, FrozenSet<int>.Empty),
        DecodesInHalfPrecision = true,
        ReadFlow = CosyVoiceConfigReader.ConformerFlow,
        ReadVocoder = static (_, vocoder) => vocoder,
        FlowParts = new FlowParts(
            static (reader, config) => new ConformerEncoder(reader, config, config.Conformer!),
            static (reader, config, options) => new UNetEstimator(
                UNetWeights.Load(reader, config.UNet!, config.MelBands), reader.Device, config.ChunkFrames, options.CacheBudget)),
        WriteEstimator = UNetGraph.Write,
        LoadVocoder = static (archive, config, device) => OverlapVocoder.Load(archive, config.Vocoder, device, VocoderNoise.Normal()),
    };

    public static CosyVoiceGeneration V3 { get; } = new()
    {
        Family = ModelFamily.CosyVoice3,
        YamlFile = "cosyvoice3.yaml",
        SpeechTokenizerFile = "speech_tokenizer_v3.onnx",
        AddedTokens = Text.SpecialTokens.Version3,
        InstructionPrefix = "You are a helpful assistant.<|endofprompt|>",
        LanguageClass = "CosyVoice3LM",
        FlowClass = "CausalMaskedDiffWithDiT",
        VocoderClass = "CausalHiFTGenerator",
        // Sounds of silence and breath: silent_tokens in cosyvoice/cli/model.py.
        LanguageRows = new LanguageRows(Extra: 200, OwnTable: 0, Sos: 0, TaskId: 2, Eos: 1, Fill: 3, HeadBias: false,
            new[] { 1, 2, 28, 29, 55, 248, 494, 2241, 2242, 2322, 2323 }.ToFrozenSet()),
        ReadFlow = CosyVoiceConfigReader.DiTFlow,
        ReadVocoder = static (hift, vocoder) => vocoder with { ConvPreLookRight = hift.Int("conv_pre_look_right", 0, 1000) },
        FlowParts = new FlowParts(
            static (reader, config) => new PreLookaheadEncoder(reader, config),
            static (reader, config, options) => DiTEstimators.Create(
                DiTWeights.Load(reader, config.Dit!, config.MelBands), reader.Device, config.ChunkFrames, options.CacheBudget)),
        WriteEstimator = DiTGraph.Write,
        // 5 frames held back are what exactness asks for (3 for F0, 4 less what its first layer has seen, 1 at the inverse transform); the
        // reference holds back 8, which delays every chunk by 60 ms and changes no sample.
        LoadVocoder = static (archive, config, device) =>
        {
            var noise = VocoderNoise.OfFreshModel(config.Flow, config.Vocoder);
            return device.IsCuda ? HiftWindowVocoder.Load(archive, config.Vocoder, device, noise, heldFrames: 5)
                : HiftVocoder.Load(archive, config.Vocoder, device, noise, heldFrames: 5);
        },
    };

    /// <summary>All of them, in the order in which the reference looks for them.</summary>
    public static IReadOnlyList<CosyVoiceGeneration> All { get; } = [V2, V3];

    public override string ToString() => Name;
}
