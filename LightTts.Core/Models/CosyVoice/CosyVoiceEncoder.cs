using LightTts.Models.CosyVoice.Files;
using LightTts.Models.CosyVoice.Voices;
using LightTts.Text;
using LightTts.Timbres;
using LightTts.Torch;

namespace LightTts.Models.CosyVoice;

/// <summary>Text to token ids and reference audio to voices, as the reference's front end does (cosyvoice/cli/frontend.py).</summary>
internal sealed class CosyVoiceEncoder(QwenTokenizer tokenizer, TimbreExtractor extractor, string instructionPrefix, int speechTokens,
    TextOptions text,
    TorchThread thread)
    : ISpeechEncoder
{
    private const string EndOfPrompt = "<|endofprompt|>";

    private readonly TextFrontEnd _frontEnd = new(tokenizer);

    public string ExtractorId => extractor.ExtractorId;

    public IDisposable EnterThread() => thread.Enter();

    public void WarmUp() => tokenizer.Encode("Hello.", allowSteering: false);

    public TimbreFeatures ExtractTimbre(AudioClip reference, string? transcript) => extractor.Extract(reference, transcript);

    public IEnumerable<TextPiece> Prepare(SynthesisRequest request) =>
        _frontEnd.Split(request.Text, text.For(request)).Select(segment => new TextPiece(segment.Text, segment.Tokens, segment.Source));

    public ITextFeed CreateFeed(SynthesisRequest request) => new TextFeed(tokenizer, text.For(request));

    public ISourceFeed CreateSourceFeed(bool live) => extractor.CreateSourceFeed(speechTokens, live);

    /// <remarks>
    /// Zero-shot: instruction prefix and transcript, with the reference's speech tokens.
    /// Cross-lingual (no transcript): the prefix alone. Instructed: the instruction
    /// alone. CosyVoice3 wants the end-of-prompt mark in every case; CosyVoice2 only after an instruction.
    /// </remarks>
    public LanguagePrompt CreatePrompt(TimbreFeatures timbre, SynthesisRequest request)
    {
        if (request.Instruction is { } instruction)
        {
            // The instruction is a user's text: whatever it holds, the one end of the prompt is ours.
            var lead = instructionPrefix.Replace(EndOfPrompt, "", StringComparison.Ordinal);
            int[] ids = [.. tokenizer.Encode($"{lead}{(lead.Length > 0 ? " " : "")}{instruction.Replace(EndOfPrompt, "", StringComparison.Ordinal)}",
                allowSteering: false), tokenizer.EndOfPromptId];
            return new LanguagePrompt(ids, [], ids.Length);
        }
        if (request.Kind == SynthesisKind.CrossLingual || timbre.PromptText is not { } transcript || timbre.SpeechTokens.Length == 0)
        {
            var ids = tokenizer.Encode(instructionPrefix, allowSteering: true);
            return new LanguagePrompt(ids, [], ids.Length);
        }
        // As the reference does with a transcript in which no token steers: CosyVoice3's starts with one that does.
        if (instructionPrefix.Length == 0 && request.NormalizeText && !transcript.Contains("<|", StringComparison.Ordinal))
            transcript = TextNormalizer.Normalize(transcript, text with { Language = null }, LanguageContext.Of(null, transcript));
        var spoken = tokenizer.Encode(transcript.Contains(EndOfPrompt, StringComparison.Ordinal) ? transcript
            : instructionPrefix + transcript, allowSteering: true);
        return new LanguagePrompt(spoken, timbre.SpeechTokens, Array.IndexOf(spoken, tokenizer.EndOfPromptId) + 1);
    }

    public void Dispose() => extractor.Dispose();
}
