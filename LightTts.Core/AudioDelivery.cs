namespace LightTts;

/// <summary>How a request's audio is computed and handed out.</summary>
public enum AudioDelivery
{
    /// <summary>Chunk by chunk while the language model still speaks: lowest time to
    /// first audio. Every frame sees the past and its own chunk.</summary>
    Streaming,

    /// <summary>Sentence by sentence, each decoded in one pass in which every frame sees the
    /// whole sentence: best quality, allows <see cref="SynthesisRequest.Speed"/>.</summary>
    Whole,
}
