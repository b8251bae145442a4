using LightTts.Models.CosyVoice.Files;

namespace LightTts.Models.CosyVoice.Language;

/// <summary>The steering ids of a model, all derived from its number of speech tokens
/// (constructors of Qwen2LM and CosyVoice3LM in cosyvoice/llm/llm.py).</summary>
internal static class LanguageVocabulary
{
    /// <summary>Rows of the speech embedding in the checkpoint, and logits of the head.</summary>
    public static int LogitCount(LanguageModelConfig config) => config.SpeechTokens + config.Rows.Extra;

    /// <summary>The ids of a model of that shape.</summary>
    public static SpeechVocabulary For(LanguageModelConfig config)
    {
        int size = config.SpeechTokens, logits = LogitCount(config);
        var rows = config.Rows;
        return new SpeechVocabulary(
            Size: size,
            LogitCount: logits,
            Sos: ~(size + rows.Sos),
            TaskId: ~(size + rows.TaskId),
            Eos: size + rows.Eos,
            Fill: size + rows.Fill,
            FirstStop: size,
            LastStop: logits - 1,
            IgnoreEosMask: size,
            MixText: config.MixText,
            MixSpeech: config.MixSpeech,
            SilentTokens: rows.Silent);
    }
}
