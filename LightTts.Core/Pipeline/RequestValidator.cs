namespace LightTts.Pipeline;

/// <summary>Checks a request before anything is taken for it.</summary>
internal sealed class RequestValidator(TtsPipelineOptions options, TtsModelInfo model)
{
    private const int MaxInstruction = 1000;
    private const int MaxVoiceName = 256;

    /// <exception cref="TtsRequestException">Something is out of range; the message says what and what is allowed.</exception>
    public void Check(SynthesisRequest request, bool streamsText)
    {
        if (!streamsText)
            CheckText(request);
        CheckReading(request);
        if (!(request.Speed >= 0.25 && request.Speed <= 4))
            throw new TtsRequestException($"Speed is {request.Speed}; it must be from 0.25 to 4.");
        if (request.Delivery is { } delivery && !Enum.IsDefined(delivery))
            throw new TtsRequestException($"Delivery {delivery} is unknown; use Streaming or Whole, or null for the default.");
        if (request.Speed != 1 && request.Delivery != AudioDelivery.Whole)
            throw new TtsRequestException("Speed can be changed only with AudioDelivery.Whole, because it stretches the sentence as a whole.");
        CheckKind(request);
        if (request.FlowSteps is { } steps && (steps < 1 || (steps > options.MaxFlowSteps && steps != model.FlowSteps)))
            throw new TtsRequestException($"FlowSteps is {steps}; it must be from 1 to {options.MaxFlowSteps} "
                + $"(TtsPipelineOptions.MaxFlowSteps). {model.Name} recommends {model.FlowSteps}.");
        if (request.FirstFlowSteps is { } first && (first < 1 || first > options.MaxFlowSteps))
            throw new TtsRequestException($"FirstFlowSteps is {first}; it must be from 1 to {options.MaxFlowSteps} "
                + "(TtsPipelineOptions.MaxFlowSteps). Leave it out for a first chunk like the others.");
        CheckSampling(request.Sampling);
        if (request.MaxSpeechTokens is < 1)
            throw new TtsRequestException($"MaxSpeechTokens is {request.MaxSpeechTokens}; it must be at least 1 ({model.TokenRate} are a second of "
            + $"audio).");
        if (request.Instruction?.Length > MaxInstruction)
            throw new TtsRequestException($"The instruction has {request.Instruction.Length:N0} characters; the limit is {MaxInstruction:N0}.");
        if (request.Voice is { } voice && (voice.Length is 0 or > MaxVoiceName))
            throw new TtsRequestException($"A voice name has 1 to {MaxVoiceName} characters; this one has {voice.Length}. Leave it null for the "
            + $"default voice.");
        CheckTime(request.FirstAudioTimeout, nameof(request.FirstAudioTimeout));
        CheckTime(request.Timeout, nameof(request.Timeout));
    }

    /// <summary>Checks the voice that was found against the kind of the request.</summary>
    /// <exception cref="TtsRequestException">The voice lacks what the kind needs.</exception>
    public static void CheckVoice(SynthesisRequest request, Timbre timbre)
    {
        if (request.Kind == SynthesisKind.ZeroShot && timbre is { Transcript: not null, Features.SpeechTokens.Length: 0 })
            throw new TtsRequestException("Kind is ZeroShot, which needs the speech of the voice's reference audio, and this voice was stored "
                + "without "
                + "it. Learn the voice from its audio, or set Kind to CrossLingual or Auto.");
        if (request.Kind == SynthesisKind.ZeroShot && timbre.Transcript is null)
            throw new TtsRequestException("Kind is ZeroShot, which needs to know what the voice's reference audio says. Add the voice with its "
                + "transcript, or set Kind to CrossLingual or Auto.");
    }

    private static void CheckSampling(SamplingOptions? sampling)
    {
        Check(sampling?.Temperature is null or (>= 0 and <= 2), nameof(SamplingOptions.Temperature), sampling?.Temperature, "from 0 to 2");
        Check(sampling?.TopP is null or (> 0 and <= 1), nameof(SamplingOptions.TopP), sampling?.TopP, "above 0 and at most 1");
        Check(sampling?.TopK is null or (>= 1 and <= 1000), nameof(SamplingOptions.TopK), sampling?.TopK, "from 1 to 1000");
        Check(sampling?.RepetitionWindow is null or (>= 0 and <= 100), nameof(SamplingOptions.RepetitionWindow), sampling?.RepetitionWindow,
            "from 0 (no rule) to 100");
        Check(sampling?.RepetitionThreshold is null or (> 0 and <= 1), nameof(SamplingOptions.RepetitionThreshold),
            sampling?.RepetitionThreshold, "above 0 and at most 1");

        static void Check(bool isRight, string name, double? value, string range)
        {
            if (!isRight)
                throw new TtsRequestException(FormattableString.Invariant(
                    $"Sampling.{name} is {value}; it must be {range}, or null for the model's own."));
        }
    }

    private static void CheckKind(SynthesisRequest request)
    {
        if (!Enum.IsDefined(request.Kind))
            throw new TtsRequestException($"Kind {request.Kind} is unknown; use {string.Join(", ", Enum.GetNames<SynthesisKind>())}.");
        if (request.Kind == SynthesisKind.Instructed && string.IsNullOrWhiteSpace(request.Instruction))
            throw new TtsRequestException("Kind is Instructed, but there is no Instruction. Say how to speak, or leave Kind as it is.");
        if (request.Kind is SynthesisKind.ZeroShot or SynthesisKind.CrossLingual && request.Instruction is not null)
            throw new TtsRequestException($"Kind is {request.Kind}, which takes no Instruction: the model follows either the voice's own manner "
                + "or an instruction. Leave one of them out.");
    }

    /// <summary>Checks the text, and how it is to be read.</summary>
    /// <exception cref="TtsRequestException">Something is out of range; the message says what and what is allowed.</exception>
    public void CheckText(SynthesisRequest request)
    {
        if (request.Text is null)
            throw new TtsRequestException("Text is null. Hand in the text to speak.");
        if (request.Text.Length > options.MaxTextLength)
            throw new TtsRequestException(
                $"The text has {request.Text.Length:N0} characters, the limit is {options.MaxTextLength:N0} (TtsPipelineOptions.MaxTextLength). "
                + $"Split it into several requests.");
        CheckReading(request);
    }

    private static void CheckReading(SynthesisRequest request)
    {
        if (request.Language is { } language && !IsTag(language))
            throw new TtsRequestException($"Language is '{Shown(language)}'; it must be a BCP 47 tag such as en, en-GB, zh or de, or null to find "
            + $"the language in the text.");
        if (request.Emoji is { } emoji && !Enum.IsDefined(emoji))
            throw new TtsRequestException($"Emoji is {emoji}; use Dropped or Named, or null for the pipeline's.");
    }

    /// <summary>Whether a tag has BCP 47's shape: a language of two or three letters (up
    /// to eight are reserved), then parts of up to eight letters and digits.</summary>
    private static bool IsTag(string tag)
    {
        var parts = tag.Split('-');
        return tag.Length <= 64 && parts[0].Length is >= 2 and <= 8 && parts[0].All(char.IsAsciiLetter)
            && parts.Skip(1).All(part => part.Length is >= 1 and <= 8 && part.All(char.IsAsciiLetterOrDigit));
    }

    /// <summary>A name from outside as it may appear in a message: short and printable.</summary>
    public static string Shown(string name) =>
        string.Concat(name.Take(64).Select(c => char.IsControl(c) || char.IsSurrogate(c) ? '?' : c)) + (name.Length > 64 ? "..." : "");

    private static void CheckTime(TimeSpan? time, string name)
    {
        if (!OptionFaults.IsTime(time))
            throw new TtsRequestException($"{name} is {time}; it must be above zero and at most 40 days.");
    }
}
