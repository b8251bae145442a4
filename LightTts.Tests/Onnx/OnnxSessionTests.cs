using LightTts.Onnx;
using LightTts.Tests.Support;
using Microsoft.ML.OnnxRuntime;

namespace LightTts.Tests.Onnx;

public sealed class OnnxSessionTests
{
    private static string Model => Path.Combine(Repo.TinyEn, "campplus.onnx");

    [Fact]
    public void Missing_file_is_named()
    {
        var error = Assert.Throws<TtsModelLoadException>(() => OnnxSession.Load("/nowhere/some.onnx", new OnnxOptions()));
        Assert.Contains("some.onnx", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(100)]
    [InlineData(20_000)]
    public void Truncated_file_is_refused(int bytes)
    {
        var path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName() + ".onnx");
        try
        {
            File.WriteAllBytes(path, File.ReadAllBytes(Model)[..bytes]);
            var error = Assert.Throws<TtsModelLoadException>(() => OnnxSession.Load(path, new OnnxOptions()));
            Assert.Contains("download it again", error.Message, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void Auto_falls_back_to_the_cpu_and_cuda_on_demand_is_an_error_where_the_natives_have_none()
    {
        Assert.SkipWhen(OrtEnv.Instance().GetAvailableProviders().Contains("CUDAExecutionProvider"), "these natives have CUDA");
        using var session = OnnxSession.Load(Model, new OnnxOptions { Providers = [ExecutionProvider.TensorRt, ExecutionProvider.Cuda,
            ExecutionProvider.Cpu], Threads = 1 });
        Assert.Empty(session.Providers);
        var error = Assert.Throws<TtsBackendException>(() => OnnxSession.Load(Model, new OnnxOptions { Providers = [ExecutionProvider.Cuda] }));
        Assert.Contains("the package Microsoft.ML.OnnxRuntime.Gpu", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Wrong_input_shape_fails_that_run_only()
    {
        using var session = OnnxSession.Load(Model, new OnnxOptions { Threads = 1 });
        using var wrong = OrtValue.CreateTensorValueFromMemory(new float[10 * 7], [1, 10, 7]);
        Assert.Throws<TtsSynthesisException>(() => session.Run([wrong], _ => 0));
        using var right = OrtValue.CreateTensorValueFromMemory(new float[50 * 80], [1, 50, 80]);
        Assert.Equal(192, session.Run([right], output => output.GetTensorDataAsSpan<float>().Length));
    }
}
