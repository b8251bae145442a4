using System.Diagnostics;
using LightTts.Models.CosyVoice.Files;
using LightTts.Models.CosyVoice.Flow;
using LightTts.Models.CosyVoice.Flow.Ort;
using LightTts.Onnx;
using LightTts.Tests.Support;
using LightTts.Timbres;
using Microsoft.Extensions.Logging.Testing;
using TorchSharp;
using static TorchSharp.torch;

namespace LightTts.Tests.Gpu;

/// <summary>The velocity by ONNX Runtime's CUDA provider, with the flow on the GPU (the stage's stream, device memory) and on the CPU.</summary>
/// <remarks>
/// They need a build whose ONNX Runtime has CUDA (<c>-p:LightTtsBackend=external -p:LightTtsOnnxRuntime=gpu</c>) and what its provider asks for:
/// CUDA 13 and cuDNN 9, of a libtorch that is loaded already or on LD_LIBRARY_PATH. What is missing is the reason of the skipped test.
/// </remarks>
[Collection(GpuCollection.Name)]
public sealed class GpuOnnxTests(ITestOutputHelper output)
{
    private const int Steps = 10;

    private static readonly int Rounds = TestDevice.Kind == ComputeDevice.Cpu ? 4 : 8;

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public void Cuda_computes_what_the_plain_tensors_do(bool exported, bool flowOnGpu)
    {
        var device = flowOnGpu ? TestDevice.Get() : Cpu();
        using var scope = NewDisposeScope();
        using var folder = new TempFolder();
        using var plain = Flows.TinyEn(device: device);
        using var onnx = Open(folder, exported, device);
        var (voice, tokens) = (Flows.Timbre(1, 54), Flows.Tokens(new Random(1), 90));
        foreach (var streaming in exported ? [false, true] : new[] { false })
        {
            var (expected, actual) = (Speak(plain, voice, tokens, streaming), Speak(onnx, voice, tokens, streaming));
            output.WriteLine($"{(streaming ? "streamed" : "whole")}: differs by {Flows.Difference(expected, actual):e1}");
            Flows.Near(expected, actual, 1e-3);
        }
        Assert.True(((OrtVelocityEstimator)onnx.Estimator).Runs >= Steps);
        Assert.False(((OrtVelocityEstimator)onnx.Estimator).IsLost);
    }

    /// <summary>10 s of whole speech at 10 steps by each estimator, in turns.</summary>
    [Fact]
    public void Flow_of_10_s_beside_the_own_estimator()
    {
        var device = TestDevice.Get();
        using var thread = new LightTts.Torch.TorchThread(2, device.IsCuda ? device.Device.index : null).Enter();
        using var scope = NewDisposeScope();
        using var folder = new TempFolder();
        using var other = new TempFolder();
        using var plain = Flows.TinyEn(new FlowOptions(CacheBudget: 1L << 28), device: device);
        plain.AllocateCaches();
        plain.Prepare(1); // as it is served
        using var reference = Open(folder, exported: false, device);
        using var mine = Open(other, exported: true, device);
        var (voice, tokens) = (Flows.Timbre(1, 0), Flows.Tokens(new Random(1), 250));
        (string Name, FlowModel Flow)[] flows = [("own", plain), ("ONNX Runtime, reference's file", reference), ("ONNX Runtime, exported", mine)];
        var times = flows.ToDictionary(flow => flow.Name, _ => new List<double>());
        for (var round = 0; round < Rounds; round++)
            foreach (var (name, flow) in flows)
            {
                var watch = Stopwatch.StartNew();
                using var mel = Speak(flow, voice, tokens, streaming: false).cpu();
                if (round > 2) // warm
                    times[name].Add(watch.Elapsed.TotalMilliseconds);
            }
        foreach (var (name, list) in times)
            output.WriteLine(FormattableString.Invariant(
                $"flow 10 s, {name}: {list.Order().ElementAt(list.Count / 2):0.0} ms (median of {list.Count})"));
        Assert.False(((OrtVelocityEstimator)reference.Estimator).IsLost || ((OrtVelocityEstimator)mine.Estimator).IsLost);
    }

    /// <summary>Why TensorRT is not used, where it is not: one line.</summary>
    [Fact]
    public void Without_TensorRT_the_reason_is_told()
    {
        TestDevice.Need();
        var log = new FakeLogger();
        using var session = OnnxSession.Load(Path.Combine(Repo.TinyEn, "campplus.onnx"),
            new OnnxOptions { Log = log, Providers = [ExecutionProvider.TensorRt, ExecutionProvider.Cuda, ExecutionProvider.Cpu] });
        output.WriteLine($"on {session.Shown}");
        foreach (var line in log.Collector.GetSnapshot())
            output.WriteLine(line.Message);
        Assert.True(session.Providers.Contains(ExecutionProvider.TensorRt) || log.Collector.Count == 1);
    }

    private FlowModel Open(TempFolder folder, bool exported, LightTts.Torch.TorchDevice device)
    {
        var root = Path.GetDirectoryName(Repo.Voice("estimator/flow.decoder.estimator.fp32.onnx"))!;
        if (exported)
        {
            EstimatorExport.Write(ModelDirectory.Open(Repo.TinyEn), folder.Path, CancellationToken.None);
            root = folder.Path;
        }
        try
        {
            return Flows.TinyEn(OnnxEstimators.In(root, Flows.TinyEnConfig, providers: [TestDevice.Kind == ComputeDevice.Cpu
                ? ExecutionProvider.Cpu : ExecutionProvider.Cuda], threads: null), device: device);
        }
        catch (TtsBackendException e)
        {
            output.WriteLine(e.Message);
            Assert.Skip(e.Message);
            throw;
        }
    }

    private static LightTts.Torch.TorchDevice Cpu()
    {
        TestDevice.Need();
        return LightTts.Torch.TorchDevice.Cpu;
    }

    private static Tensor Speak(FlowModel flow, TimbreFeatures voice, int[] tokens, bool streaming)
    {
        using var state = flow.Start(voice, streaming, Steps);
        var at = streaming ? tokens.Length / 2 : 0;
        var first = at > 0 ? flow.Run(state, tokens.AsMemory(0, at), final: false) : null;
        var rest = flow.Run(state, tokens.AsMemory(at), final: true)!;
        return first is null ? rest : cat([first, rest], 2);
    }
}
