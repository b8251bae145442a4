namespace LightTts;

/// <summary>Why the speech of a sentence ended.</summary>
public enum FinishReason
{
    /// <summary>The language model said that it was done; of converted speech, that its source paused or ended.</summary>
    Stop,

    /// <summary>The limit of speech tokens was reached (<see cref="SynthesisRequest.MaxSpeechTokens"/>); the sentence may be cut off.</summary>
    Length,
}
