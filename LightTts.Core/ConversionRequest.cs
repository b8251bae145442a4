namespace LightTts;

/// <summary>Into which voice speech is turned, and how.</summary>
/// <remarks>Immutable; one instance may be used for any number of requests. What is said, and how fast, comes from the source; its language
/// does not matter.</remarks>
public sealed record ConversionRequest
{
    /// <summary>The name of a voice: a preset of the model or one added to the pipeline's timbre store.</summary>
    /// <value>Default null: the model's default voice.</value>
    public string? Voice { get; init; }

    /// <summary>The voice itself, instead of a name; its transcript is not needed.</summary>
    /// <value>Default null: <see cref="Voice"/> decides.</value>
    public Timbre? Timbre { get; init; }

    /// <summary>Streamed or whole.</summary>
    /// <value>Default null: streaming, but whole where the audio is asked for as a whole (<c>ConvertToClipAsync</c>).</value>
    public AudioDelivery? Delivery { get; init; }

    /// <summary>Speaking rate, by stretching the mel spectrogram; other than 1 only with <see cref="AudioDelivery.Whole"/>.</summary>
    /// <value>0.25 to 4. Default 1.</value>
    public double Speed { get; init; } = 1;

    /// <summary>Steps of the flow-matching solver: more is slower and, up to a point, cleaner.</summary>
    /// <value>1 to <see cref="TtsPipelineOptions.MaxFlowSteps"/>. Default null: what the model directory recommends.</value>
    public int? FlowSteps { get; init; }

    /// <summary>How long the first audio may take before the request fails with <see cref="TtsTimeoutException"/>.</summary>
    /// <value>Above zero. Default null: no limit of its own.</value>
    public TimeSpan? FirstAudioTimeout { get; init; }

    /// <summary>How long the whole request may take before it fails with <see cref="TtsTimeoutException"/>.</summary>
    /// <value>Above zero. Default null: <see cref="TtsPipelineOptions.RequestTimeout"/>.</value>
    public TimeSpan? Timeout { get; init; }

    /// <summary>What both kinds of requests have in common.</summary>
    internal SynthesisRequest ToSynthesis() => new()
    {
        Voice = Voice,
        Timbre = Timbre,
        Delivery = Delivery,
        Speed = Speed,
        FlowSteps = FlowSteps,
        FirstAudioTimeout = FirstAudioTimeout,
        Timeout = Timeout,
    };
}
