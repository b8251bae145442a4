using LightTts.Models.CosyVoice.Files;
using LightTts.Onnx;
using LightTts.Torch;
using static TorchSharp.torch;

namespace LightTts.Models.CosyVoice.Flow.Ort;

/// <summary>Writes a model directory's estimator for <see cref="StreamingEstimatorFile"/>.</summary>
internal static class EstimatorExport
{
    /// <summary>Writes the file; <see cref="TtsPipeline.ExportOnnxAsync"/>.</summary>
    public static string Write(ModelDirectory directory, string folder, CancellationToken cancellation)
    {
        using var inference = inference_mode();
        using var archive = ModelFiles.OpenWeights(directory.Files.Flow);
        var reader = new WeightReader(archive, TorchDevice.Cpu);
        reader.Ignore(static key => !key.StartsWith("decoder.estimator.", StringComparison.Ordinal));
        var graph = new OnnxGraph("estimator", "LightTts");
        graph.Note(StreamingContract.WeightsNote, WeightsMark.Of(archive));
        directory.Config.Generation.WriteEstimator(reader, directory.Config.Flow, graph);
        reader.Complete();
        cancellation.ThrowIfCancellationRequested();
        Directory.CreateDirectory(folder);
        var path = StreamingEstimatorFile.PathIn(Path.GetFullPath(folder));
        graph.Save(path);
        return path;
    }
}
