namespace LightTts;

/// <summary>What to speak, in which voice, and how.</summary>
/// <remarks>Immutable; one instance may be used for any number of requests.</remarks>
public sealed record SynthesisRequest
{
    /// <summary>The text to speak, of any length; it is normalised and split into sentences.</summary>
    /// <value>Default empty. Ignored where text arrives in pieces.</value>
    public string Text { get; init; } = "";

    /// <summary>The name of a voice: a preset of the model or one added to the pipeline's timbre store.</summary>
    /// <value>Default null: the model's default voice.</value>
    public string? Voice { get; init; }

    /// <summary>The voice itself, instead of a name.</summary>
    /// <value>Default null: <see cref="Voice"/> decides.</value>
    public Timbre? Timbre { get; init; }

    /// <summary>How to speak, in words ("speak slowly and softly"), for models that were trained to follow instructions.</summary>
    /// <value>Default null: none.</value>
    public string? Instruction { get; init; }

    /// <summary>What the model is given of the voice beside the text.</summary>
    /// <value>Default <see cref="SynthesisKind.Auto"/>. What the request or the voice lacks for its kind is an error that says so.</value>
    public SynthesisKind Kind { get; init; }

    /// <summary>Which of the model's language models speaks: a name of <see cref="ITtsPipeline.Styles"/>.</summary>
    /// <value>Default null: the first.</value>
    public string? Style { get; init; }

    /// <summary>Streamed or whole.</summary>
    /// <value>Default null: streaming, but whole where the audio is asked for as a whole (<c>SpeakAsync</c>).</value>
    public AudioDelivery? Delivery { get; init; }

    /// <summary>Speaking rate, by stretching the mel spectrogram; other than 1 only with <see cref="AudioDelivery.Whole"/>.</summary>
    /// <value>0.25 to 4. Default 1.</value>
    public double Speed { get; init; } = 1;

    /// <summary>The seed of the draws. The same seed, text and voice give the same speech.</summary>
    /// <value>Default null: a fresh seed for each request.</value>
    public long? Seed { get; init; }

    /// <summary>How the language model's draws are made.</summary>
    /// <value>Default null: as the model directory says.</value>
    public SamplingOptions? Sampling { get; init; }

    /// <summary>Steps of the flow-matching solver: more is slower and, up to a point, cleaner.</summary>
    /// <value>1 to <see cref="TtsPipelineOptions.MaxFlowSteps"/>. Default null: what the
    /// model directory recommends, 10 where it says nothing.</value>
    public int? FlowSteps { get; init; }

    /// <summary>Solver steps of a stream's first chunk, to hear it sooner.</summary>
    /// <remarks>It sounds as if <see cref="FlowSteps"/> had been these. What follows has all steps, for which the first chunk's frames are computed
    /// once more: the second chunk takes twice as long. The voice's prompt is prepared for both numbers.</remarks>
    /// <value>1 to <see cref="TtsPipelineOptions.MaxFlowSteps"/>; without effect where they are not fewer than <see cref="FlowSteps"/>. Default null:
    /// as <see cref="FlowSteps"/>.</value>
    public int? FirstFlowSteps { get; init; }

    /// <summary>The most speech tokens (25 a second) that a sentence may get.</summary>
    /// <value>At least 1. Default null: 20 for each text token.</value>
    public int? MaxSpeechTokens { get; init; }

    /// <summary>Whether numbers, dates, abbreviations and the like are written out before they are spoken.</summary>
    /// <value>Default true. If not, text is spoken as it is written, only split into
    /// sentences; <see cref="Pronunciations"/> count all the same.</value>
    public bool NormalizeText { get; init; } = true;

    /// <summary>The language of the text, as a BCP 47 tag: <c>en</c>, <c>en-GB</c>, <c>zh</c>, <c>de</c>.</summary>
    /// <value>
    /// Default null: each part of the text is read in the language that its script and
    /// its words show, English where they show none. English, Chinese, German, French, Spanish,
    /// Italian, Russian, Japanese and Korean have their figures written out; other languages are spoken as they are
    /// written. <c>en-GB</c> and <c>en-US</c> choose the reading of English, too.
    /// </value>
    public string? Language { get; init; }

    /// <summary>What becomes of emoji.</summary>
    /// <value>Default null: <see cref="TtsPipelineOptions.Emoji"/>.</value>
    public EmojiReading? Emoji { get; init; }

    /// <summary>Pronunciations for this request; where both have an entry for a word, they
    /// count before those of <see cref="TtsPipelineOptions.Pronunciations"/>.</summary>
    /// <value>Default null: only the pipeline's.</value>
    public PronunciationDictionary? Pronunciations { get; init; }

    /// <summary>Whether <c>&lt;|endofprompt|&gt;</c> and the like in the text are the model's
    /// steering tokens. Set it for trusted text only: they can change what the model does.</summary>
    /// <value>
    /// Default false: they are plain text, whose brackets are not spoken. Tags of sounds
    /// (<c>[laughter]</c>, <c>[breath]</c>, <c>&lt;strong&gt;</c>) and of phonemes
    /// (<c>[AH0]</c>) do no harm and count in every text: they reach the model as they are, where its tokenizer has them (CosyVoice2 has no
    /// phonemes). Tags that it does not have are plain text, too.
    /// </value>
    public bool AllowSpecialTokens { get; init; }

    /// <summary>How long the first audio may take before the request fails with <see cref="TtsTimeoutException"/>.</summary>
    /// <value>Above zero. Default null: no limit of its own.</value>
    public TimeSpan? FirstAudioTimeout { get; init; }

    /// <summary>How long the whole request may take before it fails with <see cref="TtsTimeoutException"/>.</summary>
    /// <value>Above zero. Default null: <see cref="TtsPipelineOptions.RequestTimeout"/>.</value>
    public TimeSpan? Timeout { get; init; }
}
