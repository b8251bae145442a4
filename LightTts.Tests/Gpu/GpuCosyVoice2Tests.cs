using LightTts.Models;
using LightTts.Models.CosyVoice;
using LightTts.Models.CosyVoice.Files;
using LightTts.Tests.Support;
using LightTts.Torch;
using LightTts.Weights;
using static TorchSharp.torch;

namespace LightTts.Tests.Gpu;

/// <summary>CosyVoice2's flow and vocoder on the GPU in 32 bits against what the reference computed on a CPU, and against themselves.</summary>
[Collection(GpuCollection.Name)]
public sealed class GpuCosyVoice2Tests(ITestOutputHelper output)
{
    [Theory]
    [InlineData("mel.offline", false)]
    [InlineData("mel.stream_full", true)]
    public void Flow_mel(string expected, bool streaming)
    {
        var device = TestDevice.Get();
        using var scope = NewDisposeScope();
        using var file = SafetensorsFile.Open(Repo.Golden("main/flow_cv2.safetensors"));
        using var flow = Flows.Golden("cv2", device: device);
        using var state = flow.Start(Flows.Timbre(file, "prompt_token", "prompt_feat", "embedding"), streaming, 10);
        var tokens = Flows.Ints(file, "token");
        var mel = streaming ? flow.Stream(state, tokens, [28, tokens.Length - 28]) : flow.Run(state, tokens, final: true)!;
        var difference = Flows.Difference(Flows.Fixture(file, expected), mel.cpu());
        output.WriteLine($"{expected}: {difference:E1}");
        Assert.InRange(difference, 0, 1e-3);
    }

    [Fact]
    public void Vocoder_samples()
    {
        var device = TestDevice.Get();
        using var golden = SafetensorsFile.Open(Repo.Golden("main/hift_cv2.safetensors"));
        using var vocoder = Vocoders.Golden2(device: device);
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        var (samples, _) = vocoder.Run(golden.Tensor("mel").to(device.Device), [0], known: null);
        var expected = golden.Values("wav");
        var difference = Vocoders.MaxDifference(expected, samples.ToSingles());
        output.WriteLine($"{difference:E1} of {expected.Max(MathF.Abs):E1}");
        Assert.InRange(difference, 0, 1e-2f * expected.Max(MathF.Abs));
    }

    /// <summary>Streamed rows of several lengths in one pass give what each gives alone, up to the order of sums.</summary>
    [Fact]
    public void Rows_in_company()
    {
        var device = TestDevice.Get();
        var config = ModelDirectory.Open(Repo.Golden("main/models/cosyvoice2-tiny")).Config;
        using var decoder = new CosyVoiceDecoder(Flows.Golden("cv2", device: device), Vocoders.Golden2(asReference: false, device), config,
            new TorchThread(2), lanes: null, maxRows: 8);
        using var thread = decoder.EnterThread();
        DecodeRow[] Rows() => [.. Enumerable.Range(0, 4).Select(i => new DecodeRow
        {
            State = decoder.Start(Flows.Timbre(i, 15 * i, 400), new DecodeOptions(Streaming: i % 2 == 0, FlowSteps: 3, Speed: 1)),
            Tokens = Flows.Tokens(new Random(i), 60 + 20 * (i / 2), 400),
            Final = true,
        })];
        var (alone, company) = (Rows(), Rows());
        foreach (var row in alone)
            decoder.Decode([row]);
        decoder.Decode(company);
        foreach (var (one, other) in alone.Zip(company))
        {
            Assert.Null(other.Error);
            var difference = Vocoders.MaxDifference(one.Samples, other.Samples);
            output.WriteLine($"{one.Samples.Length} samples: {difference:E1} of {one.Samples.Max(MathF.Abs):E1}");
            Assert.InRange(difference, 0, 1e-2f * one.Samples.Max(MathF.Abs));
            one.State.Dispose();
            other.State.Dispose();
        }
    }
}
