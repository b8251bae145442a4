using System.Collections.Frozen;
using LightTts.Models.CosyVoice.Files;

namespace LightTts.Models.CosyVoice.Language;

/// <summary>The steering ids of a model, all derived from its number of speech tokens
/// (constructors of Qwen2LM and CosyVoice3LM in cosyvoice/llm/llm.py).</summary>
internal static class LanguageVocabulary
{
    private const int Version3Extra = 200;
    private const int Version2Extra = 3;

    /// <summary>Sounds of silence and breath (<c>silent_tokens</c> in cosyvoice/cli/model.py).</summary>
    private static readonly FrozenSet<int> Silence = new[] { 1, 2, 28, 29, 55, 248, 494, 2241, 2242, 2322, 2323 }.ToFrozenSet();

    /// <summary>Rows of the speech embedding in the checkpoint, and logits of the head.</summary>
    public static int LogitCount(LanguageModelConfig config) =>
        config.SpeechTokens + (config.Version == CosyVoiceVersion.V3 ? Version3Extra : Version2Extra);

    /// <summary>The ids of a model of that shape.</summary>
    /// <remarks>CosyVoice2 keeps sos and task in a table of their own; here that table follows the rows of the speech embedding.</remarks>
    public static SpeechVocabulary For(LanguageModelConfig config)
    {
        int size = config.SpeechTokens, logits = LogitCount(config);
        var v3 = config.Version == CosyVoiceVersion.V3;
        return new SpeechVocabulary(
            Size: size,
            LogitCount: logits,
            Sos: ~(v3 ? size : logits),
            TaskId: ~(v3 ? size + 2 : logits + 1),
            Eos: v3 ? size + 1 : size,
            Fill: v3 ? size + 3 : size + 2,
            FirstStop: size,
            LastStop: logits - 1,
            IgnoreEosMask: size,
            MixText: config.MixText,
            MixSpeech: config.MixSpeech,
            SilentTokens: v3 ? Silence : FrozenSet<int>.Empty);
    }
}
