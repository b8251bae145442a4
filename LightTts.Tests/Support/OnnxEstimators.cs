using LightTts.Models.CosyVoice.Files;
using LightTts.Models.CosyVoice.Flow;
using LightTts.Models.CosyVoice.Flow.Ort;
using LightTts.Onnx;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace LightTts.Tests.Support;

/// <summary>Flows whose velocity ONNX Runtime computes.</summary>
internal static class OnnxEstimators
{
    public static OrtFrames Frames { get; } = new(4, 500, 3000);

    /// <summary>Options that demand a directory's ONNX file.</summary>
    public static FlowOptions In(string root, FlowConfig config, ILogger? log = null, IReadOnlyList<ExecutionProvider>? providers = null,
        DecoderEngine engine = DecoderEngine.OnnxRuntime, int? threads = 1) =>
        new(Over: new OrtEstimators(root, config, engine,
            new OnnxOptions { Threads = threads, Log = log ?? NullLogger.Instance, Providers = providers ?? [ExecutionProvider.Cpu] }, Frames).Over);

    /// <summary>The embedded voice's flow with what its directory's export makes of it.</summary>
    public static FlowModel TinyEn(TempFolder folder, ILogger? log = null)
    {
        EstimatorExport.Write(ModelDirectory.Open(Repo.TinyEn), folder.Path, CancellationToken.None);
        return Flows.TinyEn(In(folder.Path, Flows.TinyEnConfig, log));
    }
}
