namespace LightTts.Pipeline;

/// <summary>Checks a request before anything is taken for it.</summary>
internal sealed class RequestValidator(TtsPipelineOptions options, TtsModelInfo model)
{
    private const int MaxInstruction = 1000;
    private const int MaxVoiceName = 256;

    /// <exception cref="TtsRequestException">Something is out of range; the message says what and what is allowed.</exception>
    public void Check(SynthesisRequest request, bool streamsText)
    {
        if (!streamsText && request.Text is null)
            throw new TtsRequestException("Text is null. Hand in the text to speak.");
        if (!streamsText && request.Text!.Length > options.MaxTextLength)
            throw new TtsRequestException(
                $"The text has {request.Text.Length:N0} characters, the limit is {options.MaxTextLength:N0} (TtsPipelineOptions.MaxTextLength). Split it into several requests.");
        if (!(request.Speed >= 0.25 && request.Speed <= 4))
            throw new TtsRequestException($"Speed is {request.Speed}; it must be from 0.25 to 4.");
        if (request.Speed != 1 && request.Mode == SynthesisMode.Streaming)
            throw new TtsRequestException("Speed can be changed only in SynthesisMode.Whole, because it stretches the sentence as a whole.");
        if (request.Mode is not (SynthesisMode.Streaming or SynthesisMode.Whole))
            throw new TtsRequestException($"Mode {request.Mode} is unknown; use Streaming or Whole.");
        if (request.FlowSteps is < 1 or > 100)
            throw new TtsRequestException($"FlowSteps is {request.FlowSteps}; it must be from 1 to 100. {model.Name} recommends {model.FlowSteps}.");
        if (request.MaxSpeechTokens is < 1)
            throw new TtsRequestException($"MaxSpeechTokens is {request.MaxSpeechTokens}; it must be at least 1 ({model.TokenRate} are a second of audio).");
        if (request.Instruction?.Length > MaxInstruction)
            throw new TtsRequestException($"The instruction has {request.Instruction.Length:N0} characters; the limit is {MaxInstruction:N0}.");
        if (request.Voice is { } voice && (voice.Length is 0 or > MaxVoiceName))
            throw new TtsRequestException($"A voice name has 1 to {MaxVoiceName} characters; this one has {voice.Length}. Leave it null for the default voice.");
        CheckTime(request.FirstAudioTimeout, nameof(request.FirstAudioTimeout));
        CheckTime(request.Timeout, nameof(request.Timeout));
    }

    /// <summary>A name from outside as it may appear in a message: short and printable.</summary>
    public static string Shown(string name) =>
        string.Concat(name.Take(64).Select(c => char.IsControl(c) || char.IsSurrogate(c) ? '?' : c)) + (name.Length > 64 ? "..." : "");

    private static void CheckTime(TimeSpan? time, string name)
    {
        if (time is { } value && (value <= TimeSpan.Zero || value > TimeSpan.FromDays(40)))
            throw new TtsRequestException($"{name} is {value}; it must be above zero and at most 40 days.");
    }
}
