using LightTts.Onnx;
using LightTts.Tests.Support;
using Microsoft.Extensions.Logging.Testing;
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
        Assert.Contains("CUDA: this ONNX Runtime has been built without it", error.Message, StringComparison.Ordinal);
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

    [Fact]
    public void What_cannot_be_had_is_one_line_with_a_reason_for_each()
    {
        Assert.SkipWhen(OrtEnv.Instance().GetAvailableProviders().Contains("CUDAExecutionProvider"), "these natives have CUDA");
        var log = new FakeLogger();
        using var session = OnnxSession.Load(Model, new OnnxOptions { Log = log, Threads = 1, Providers = [ExecutionProvider.TensorRt,
            ExecutionProvider.Cuda, ExecutionProvider.Cpu] });
        Assert.Equal("campplus.onnx runs on ONNX Runtime's CPU, without TensorRT: this ONNX Runtime has been built without it "
            + "(Microsoft.ML.OnnxRuntime.Gpu has it); CUDA: this ONNX Runtime has been built without it (Microsoft.ML.OnnxRuntime.Gpu has it)",
            Assert.Single(log.Collector.GetSnapshot()).Message);
    }

    [Fact]
    public void A_load_that_is_cancelled_ends()
    {
        var cancelled = new CancellationToken(canceled: true);
        Assert.Throws<OperationCanceledException>(() => OnnxSession.Load(Model, new OnnxOptions { Cancellation = cancelled }));
    }

    [Fact]
    public void TensorRt_is_told_shapes_arithmetic_and_where_its_engines_are_kept()
    {
        var options = new TensorRtOptions
        {
            CacheDirectory = "/cache", HalfPrecision = true, WorkspaceBytes = 7,
            Shapes = [new("x", [2, 80, 4], [2, 80, 500], [2, 80, 3000]), new("mask", [2, 1, 4], [2, 1, 500], [2, 1, 3000])],
        };
        var folder = options.FolderFor(Model)!;
        Assert.StartsWith(Path.Combine("/cache", "campplus."), folder);
        Assert.Equal(new Dictionary<string, string>
        {
            ["device_id"] = "3", ["trt_fp16_enable"] = "1", ["trt_max_workspace_size"] = "7",
            ["trt_engine_cache_enable"] = "1", ["trt_engine_cache_path"] = folder,
            ["trt_timing_cache_enable"] = "1", ["trt_timing_cache_path"] = folder,
            ["trt_profile_min_shapes"] = "x:2x80x4,mask:2x1x4",
            ["trt_profile_opt_shapes"] = "x:2x80x500,mask:2x1x500",
            ["trt_profile_max_shapes"] = "x:2x80x3000,mask:2x1x3000",
        }, options.ToProviderOptions(3, folder));
    }
}
