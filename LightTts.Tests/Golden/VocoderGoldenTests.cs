using LightTts.Models.CosyVoice;
using LightTts.Models.CosyVoice.Vocoder;
using LightTts.Tests.Support;
using LightTts.Torch;
using LightTts.Weights;
using static TorchSharp.torch;

namespace LightTts.Tests.Golden;

/// <summary>The vocoder against the reference's recorded outputs.</summary>
public class VocoderGoldenTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData("final", true)]
    [InlineData("not_final", false)]
    [InlineData("not_final_20", false)]
    public void One_call_matches_the_reference(string run, bool final)
    {
        var sizes = Repo.Manifest("main/hift_cv3").GetProperty("runs").GetProperty(run);
        var frames = sizes.GetProperty("frames_in").GetInt32();
        using var golden = SafetensorsFile.Open(Repo.Golden("main/hift_cv3.safetensors"));
        using var vocoder = Vocoders.Golden();
        using var scope = NewDisposeScope();
        using var mode = inference_mode();
        Assert.InRange(frames, 1, golden.Tensors["mel"].Shape[2]);
        var mel = golden.Tensor("mel")[.., .., ..frames];

        using var state = vocoder.CreateState();
        using var pass = new VocoderPass([(VocoderState)state]) { Final = final };
        var f0 = vocoder.F0.Run(pass, mel);
        Compare(golden, $"{run}.f0_float64", f0, 1e-4f); // 1e-6 of the largest
        var source = vocoder.Source.Run(pass, f0);
        Compare(golden, $"{run}.source", source, 2e-5f);
        if (final)
            Compare(golden, "final.s_stft_head", vocoder.Spectrum.Forward(pass, source, frames * 120 + 1)[.., .., ..200], 2e-5f);

        var row = new VocoderRow { State = state, Mel = mel, Final = final };
        vocoder.Run([row]);
        Assert.Null(row.Error);
        var expected = golden.Values($"{run}.wav");
        Assert.Equal(sizes.GetProperty("samples").GetInt32(), row.Samples.Length);
        var difference = Vocoders.MaxDifference(expected, row.Samples);
        output.WriteLine($"{run}.wav: {difference}");
        Assert.True(difference < Tolerance(expected), $"wav differs by {difference}");
    }

    [Fact]
    public void Offline_utterance_matches_the_reference()
    {
        using var golden = SafetensorsFile.Open(Repo.Golden("main/token2wav_cv3.safetensors"));
        using var vocoder = Vocoders.Golden();
        using var mel = golden.Tensor("offline.hift_in_0");
        var samples = vocoder.Run(mel);
        Assert.Equal(480 * mel.shape[2], samples.Length);
        var (head, tail) = (golden.Values("offline.wav_first_16000"), golden.Values("offline.wav_last_8000"));
        var first = Vocoders.MaxDifference(head, samples.AsSpan(..16000));
        var last = Vocoders.MaxDifference(tail, samples.AsSpan(^8000..));
        output.WriteLine($"{first} {last}");
        Assert.True(first < Tolerance(head) && last < Tolerance(tail), $"wav differs by {first}, {last}");
    }

    [Fact]
    public void Streamed_utterance_matches_the_reference_chunk_by_chunk()
    {
        using var golden = SafetensorsFile.Open(Repo.Golden("main/token2wav_cv3.safetensors"));
        using var vocoder = Vocoders.Golden();
        using var state = vocoder.CreateState();
        using var scope = NewDisposeScope();
        List<float> all = [];
        List<int> chunks = [];
        long before = 0;
        var stream = Repo.Manifest("main/token2wav_cv3").GetProperty("runs").GetProperty("stream");
        int[] expected = [.. stream.GetProperty("chunk_samples").EnumerateArray().Select(n => n.GetInt32())];
        for (var call = 0; call < expected.Length; call++)
        {
            // The reference hands over all frames each time, we hand over the new ones.
            var mel = golden.Tensor($"stream.hift_in_{call}");
            var row = new VocoderRow { State = state, Mel = mel.narrow(2, before, mel.shape[2] - before), Final = call == expected.Length - 1 };
            before = mel.shape[2];
            vocoder.Run([row]);
            Assert.Null(row.Error);
            chunks.Add(row.Samples.Length);
            all.AddRange(row.Samples);
        }
        Assert.Equal(expected, chunks);
        var wave = golden.Values("stream.wav");
        var difference = Vocoders.MaxDifference(wave, all.ToArray());
        output.WriteLine($"{difference}");
        Assert.True(difference < Tolerance(wave), $"wav differs by {difference}");
    }

    [Theory]
    [InlineData("ref_0_slt")]
    [InlineData("ref_1_rms")]
    [InlineData("ref_2_us")]
    public void Embedded_voice_matches_the_reference(string name)
    {
        using var golden = SafetensorsFile.Open(Repo.Voice($"reference/{name}.safetensors"));
        using var vocoder = Vocoders.TinyEn(new Vocoders.Stored(golden.Values("sinegen_noise")));
        using var scope = NewDisposeScope();
        using var mode = inference_mode();
        var mel = golden.Tensor("mel");

        using var state = vocoder.CreateState();
        using var pass = new VocoderPass([(VocoderState)state]) { Final = true };
        var f0 = vocoder.F0.Run(pass, mel);
        Compare(golden, "f0", f0, 5e-4f);
        Compare(golden, "hift_source", vocoder.Source.Run(pass, f0), 1e-4f);

        var difference = Vocoders.MaxDifference(golden.Values("wav"), vocoder.Run(mel));
        output.WriteLine($"{name}.wav: {difference}");
        Assert.True(difference < 1e-3f, $"wav differs by {difference}");
    }

    /// <summary>1e-4 of the largest sample, as the fixtures' manifest says.</summary>
    private static float Tolerance(float[] expected) => 1e-4f * expected.Max(MathF.Abs);

    private void Compare(ITensorArchive golden, string name, Tensor actual, float tolerance)
    {
        var difference = Vocoders.MaxDifference(golden.Values(name), actual.ToSingles());
        output.WriteLine($"{name}: {difference}");
        Assert.True(difference < tolerance, $"{name} differs by {difference}");
    }
}
