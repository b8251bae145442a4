namespace LightTts;

/// <summary>How ONNX Runtime runs a model directory's ONNX files: the feature extractors that learn voices and, where it decodes, the flow's
/// estimator (<see cref="TtsPipelineOptions.Decoder"/>).</summary>
public sealed class OnnxRuntimeOptions
{
    /// <summary>Where it computes: the first that can be had. What stands behind <see cref="ExecutionProvider.Cpu"/> is not tried. The reason for
    /// each that cannot be had is logged.</summary>
    /// <remarks>Where <see cref="TtsPipelineOptions.Device"/> is <see cref="ComputeDevice.Cpu"/>, only the CPU is used.</remarks>
    /// <value>Not empty. Default TensorRT, CUDA, CPU. Without the CPU in the list, a machine that has none of the others is an error.</value>
    public IReadOnlyList<ExecutionProvider> Providers { get; set; } = [ExecutionProvider.TensorRt, ExecutionProvider.Cuda, ExecutionProvider.Cpu];

    /// <summary>A folder for the engines that TensorRT builds and its timings. An engine takes minutes to build and fits one file, card and version
    /// of TensorRT.</summary>
    /// <value>Default null: a folder of LightTts' in the user's data folder.</value>
    public string? CacheDirectory { get; set; }

    /// <summary>Whether TensorRT computes the flow's estimator in 16-bit floating point.</summary>
    /// <value>Default null, as LightTTS does it: yes for CosyVoice2; no for CosyVoice3, whose numbers do not bear it.</value>
    public bool? HalfPrecision { get; set; }

    /// <summary>Bytes of the device's memory that TensorRT may try its ways in.</summary>
    /// <value>At least 0. Default 4 GiB.</value>
    public long WorkspaceBytes { get; set; } = 4L << 30;

    /// <summary>The fewest mel frames (50 to the second) of a pass that TensorRT's engine is built for; shorter and longer passes are computed
    /// without ONNX Runtime.</summary>
    /// <value>At least 1. Default 4.</value>
    public int MinFrames { get; set; } = 4;

    /// <summary>The number of mel frames that TensorRT's engine is made fast for.</summary>
    /// <value><see cref="MinFrames"/> to <see cref="MaxFrames"/>. Default 500.</value>
    public int OptimalFrames { get; set; } = 500;

    /// <summary>The most mel frames of a pass that TensorRT's engine is built for.</summary>
    /// <value>At most 15,000. Default 3,000.</value>
    public int MaxFrames { get; set; } = 3000;

    /// <summary>Looks for options that are out of their range.</summary>
    /// <returns>All that are, each with what it may be.</returns>
    internal OptionFaults FindFaults()
    {
        var faults = new OptionFaults { Prefix = nameof(TtsPipelineOptions.OnnxRuntime) + "." };
        faults.Require(Providers is { Count: > 0 } && Providers.All(Enum.IsDefined), Providers, "Name at least one of TensorRt, Cuda and Cpu.");
        faults.Require(WorkspaceBytes >= 0, WorkspaceBytes, "Set 0 or more bytes (default 4294967296).");
        faults.Require(MinFrames >= 1, MinFrames, "Set at least 1 (default 4).");
        faults.Require(OptimalFrames >= MinFrames && OptimalFrames <= MaxFrames, OptimalFrames, "Set MinFrames to MaxFrames (default 500).");
        faults.Require(MaxFrames <= 15_000, MaxFrames, "Set at most 15000 (default 3000).");
        return faults;
    }
}
