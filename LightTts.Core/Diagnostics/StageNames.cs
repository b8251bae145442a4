namespace LightTts.Diagnostics;

/// <summary>What stages are called in metrics, logs and thread names.</summary>
internal static class StageNames
{
    public static string Name(this PipelineStage stage) => stage switch
    {
        PipelineStage.Encode => "encode",
        PipelineStage.Language => "language",
        _ => "decode",
    };
}
