using System.Diagnostics;
using LightTts.Models.CosyVoice;
using LightTts.Models.CosyVoice.Files;
using LightTts.Models.CosyVoice.Vocoder;
using LightTts.Tests.Support;
using LightTts.Torch;
using LightTts.Weights;
using TorchSharp;

namespace LightTts.Tests.Gpu;

/// <summary>The vocoder's captured windows against the vocoder that keeps its layers' tails, and against the reference, on the same device.</summary>
[Collection(GpuCollection.Name)]
public sealed class GpuVocoderGraphTests(ITestOutputHelper output)
{
    private const int Rows = 16;

    [Fact]
    public void Streams_in_company()
    {
        var device = TestDevice.Get();
        using var thread = Enter(device);
        var config = ModelDirectory.Open(Repo.TinyEn).Config;
        using var plain = Vocoders.TinyEn(VocoderNoise.OfFreshModel(config.Flow, config.Vocoder), device);
        using var windows = Vocoders.TinyEnWindows(VocoderNoise.OfFreshModel(config.Flow, config.Vocoder), device);
        Prepare(windows, device);
        using var file = SafetensorsFile.Open(Repo.Voice("reference/ref_1_rms.safetensors"));
        using var mel = file.Tensor("mel");
        var frames = (int)mel.shape[2];
        var expected = plain.Run(mel);
        var states = Enumerable.Range(0, Rows).Select(_ => windows.CreateState()).ToArray();
        var heard = states.Select(_ => new List<float>()).ToArray();
        var done = new int[Rows];
        while (done.Any(at => at < frames))
        {
            List<(int I, VocoderRow Row)> rows = [];
            for (var i = 0; i < Rows; i++)
            {
                var count = Math.Min(done[i] == 0 ? 20 + 3 * i : 50, frames - done[i]);
                if (count == 0)
                    continue;
                rows.Add((i, new VocoderRow { State = states[i], Mel = mel.narrow(2, done[i], count), Final = done[i] + count == frames }));
                done[i] += count;
            }
            windows.Run([.. rows.Select(each => each.Row)]);
            foreach (var (i, row) in rows)
            {
                Assert.Null(row.Error);
                heard[i].AddRange(row.Samples);
            }
        }
        var worst = heard.Max(samples => Vocoders.MaxDifference(expected, samples.ToArray()));
        output.WriteLine($"{Rows} streams of {frames} frames against one pass of the other vocoder: {worst:E1}");
        Assert.InRange(worst, 0, 1e-3f);
        Assert.All(states, state => Assert.Equal(0, state.CacheBytes));
    }

    [Theory]
    [InlineData("ref_0_slt")]
    [InlineData("ref_2_us")]
    public void Whole_utterances_are_the_references(string name)
    {
        var device = TestDevice.Get();
        using var thread = Enter(device);
        using var golden = SafetensorsFile.Open(Repo.Voice($"reference/{name}.safetensors"));
        using var windows = Vocoders.TinyEnWindows(new Vocoders.Stored(golden.Values("sinegen_noise")), device);
        Prepare(windows, device);
        using var mel = golden.Tensor("mel");
        var difference = Vocoders.MaxDifference(golden.Values("wav"), windows.Run(mel));
        output.WriteLine($"{name}: samples differ by {difference:E1}");
        Assert.InRange(difference, 0, 2e-3f);
    }

    /// <summary>What is read in 11 bits where bfloat16 is asked for, against 22 bits: on speech of the embedded voice.</summary>
    [Theory]
    [InlineData("ref_0_slt")]
    [InlineData("ref_2_us")]
    public void In_bfloat16_the_difference_is_inaudible(string name)
    {
        var device = TestDevice.Get();
        using var thread = Enter(device);
        using var golden = SafetensorsFile.Open(Repo.Voice($"reference/{name}.safetensors"));
        using var mel = golden.Tensor("mel");
        float[] Run(torch.ScalarType compute)
        {
            using var windows = Vocoders.TinyEnWindows(new Vocoders.Stored(golden.Values("sinegen_noise")), device with { Compute = compute });
            return windows.Run(mel);
        }
        var (exact, rounded) = (Run(torch.ScalarType.Float32), Run(torch.ScalarType.BFloat16));
        double signal = 0, noise = 0;
        foreach (var (a, b) in exact.Zip(rounded))
            (signal, noise) = (signal + (double)a * a, noise + (double)(a - b) * (a - b));
        var ratio = 10 * Math.Log10(signal / noise);
        output.WriteLine($"{name}: {exact.Length} samples, {ratio:0.0} dB above what bfloat16 changes");
        Assert.InRange(ratio, 40, double.PositiveInfinity);
    }

    private static IDisposable Enter(TorchDevice device) => new TorchThread(2, device.IsCuda ? device.Device.index : null).Enter(urgent: true);

    private void Prepare(HiftWindowVocoder vocoder, TorchDevice device)
    {
        if (device.IsCuda)
            torch.cuda.synchronize(device.Device);
        var watch = Stopwatch.StartNew();
        vocoder.Prepare(Rows);
        var graphs = vocoder.Buffers.Count(buffers => buffers.Graph is not null);
        output.WriteLine($"{graphs} shapes captured in {watch.Elapsed.TotalSeconds:0.0} s");
        if (device.IsCuda)
            Assert.InRange(graphs, 10, 100);
    }
}
