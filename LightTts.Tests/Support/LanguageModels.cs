using LightTts.Models.CosyVoice;
using LightTts.Pipeline;

namespace LightTts.Tests.Support;

/// <summary>Configurations of the language models that the fixtures hold.</summary>
internal static class LanguageModels
{
    /// <summary>A CosyVoice3 model too small to say anything.</summary>
    public static LanguageModelConfig Config { get; } = new()
    {
        Version = CosyVoiceVersion.V3,
        HiddenSize = 32,
        Layers = 2,
        Heads = 4,
        KvHeads = 2,
        IntermediateSize = 80,
        RmsNormEps = 1e-6,
        RopeTheta = 1e6,
        TextVocabulary = 151936,
        SpeechTokens = 512,
        MixText = 5,
        MixSpeech = 15,
        TopP = 0.8,
        TopK = 25,
        RepetitionWindow = 10,
        RepetitionThreshold = 0.1,
    };

    public static SpeechVocabulary Vocabulary(CosyVoiceVersion version, int size) => LanguageVocabulary.For(Config with { Version = version, SpeechTokens = size });
}
