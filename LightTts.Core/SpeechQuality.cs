namespace LightTts;

/// <summary>What a sentence's speech looks like beside its text.</summary>
public enum SpeechQuality
{
    /// <summary>Nothing is remarkable.</summary>
    Plausible,

    /// <summary>It is too short for its text: words are probably missing.</summary>
    TooShort,

    /// <summary>It is too long for its text, or ran into the model's limit of speech tokens: something else was probably spoken.</summary>
    TooLong,
}
