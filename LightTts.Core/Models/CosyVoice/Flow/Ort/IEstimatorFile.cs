namespace LightTts.Models.CosyVoice.Flow.Ort;

/// <summary>An estimator's ONNX file, ready to run.</summary>
internal interface IEstimatorFile : IDisposable
{
    /// <summary>The file's name.</summary>
    string Name { get; }

    /// <summary>Where it runs, for people.</summary>
    string Provider { get; }

    /// <summary>Whether it can compute these frames.</summary>
    bool Takes(FlowSegment segment);

    /// <summary>Prepares one utterance's frames for all steps of a pass; may be called, and the passes be used, on several threads at once.</summary>
    /// <exception cref="TtsSynthesisException">ONNX Runtime failed.</exception>
    IEstimatorPass Begin(FlowSegment segment, float[] times);
}
