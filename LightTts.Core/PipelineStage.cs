namespace LightTts;

/// <summary>A stage of the pipeline, with a thread of its own.</summary>
public enum PipelineStage
{
    /// <summary>Text into token ids, reference audio into voices.</summary>
    Encode,

    /// <summary>Text tokens into speech tokens.</summary>
    Language,

    /// <summary>Speech tokens into audio.</summary>
    Decode,
}
