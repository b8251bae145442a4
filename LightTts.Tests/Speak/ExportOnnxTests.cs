using LightTts.Tests.Support;

namespace LightTts.Tests.Speak;

/// <summary><c>speak models export-onnx</c>, and a model directory that is decoded with what it wrote.</summary>
public sealed class ExportOnnxTests
{
    [Fact]
    public async Task A_directory_is_exported_and_speaks_by_ONNX_Runtime()
    {
        using var folder = new TempFolder();
        foreach (var file in Directory.EnumerateFiles(Repo.TinyEn, "*", SearchOption.AllDirectories))
            folder.Write(Path.GetRelativePath(Repo.TinyEn, file), File.ReadAllBytes(file));
        var refused = await SpeakProcess.RunAsync(folder.Path, ["hi", "-m", ".", "--decoder", "onnxruntime", "-o", "a.wav"]);
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains("speak models export-onnx", refused.Error);
        var exported = await SpeakProcess.RunAsync(folder.Path, ["models", "export-onnx", "."]);
        Assert.Equal((0, folder["flow.decoder.estimator.streaming.fp32.onnx"]), (exported.ExitCode, exported.Output.Trim()));
        string[] speak = ["hello", "there", "-m", ".", "-s", "1", "--steps", "1", "-q", "--mode", "streaming", "--timbres", "voices", "-o"];
        Assert.Equal(0, (await SpeakProcess.RunAsync(folder.Path, [.. speak, "onnx.wav", "--decoder", "onnxruntime"])).ExitCode);
        Assert.Equal(0, (await SpeakProcess.RunAsync(folder.Path, [.. speak, "own.wav", "--decoder", "torch"])).ExitCode);
        var (onnx, own) = (AudioClip.FromWavFile(folder["onnx.wav"]), AudioClip.FromWavFile(folder["own.wav"]));
        Assert.Equal(own.Samples.Length, onnx.Samples.Length);
        var missing = await SpeakProcess.RunAsync(folder.Path, ["models", "export-onnx", "nowhere"]);
        Assert.Equal(1, missing.ExitCode);
        Assert.Contains("the model directory does not exist", missing.Error);
    }
}
