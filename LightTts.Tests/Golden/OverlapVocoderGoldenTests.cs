using LightTts.Models.CosyVoice.Vocoder;
using LightTts.Tests.Support;
using LightTts.Torch;
using LightTts.Weights;
using static TorchSharp.torch;

namespace LightTts.Tests.Golden;

/// <summary>CosyVoice2's vocoder against the reference's recorded outputs.</summary>
public class OverlapVocoderGoldenTests(ITestOutputHelper output)
{
    [Fact]
    public void A_call_is_the_references()
    {
        using var golden = SafetensorsFile.Open(Repo.Golden("main/hift_cv2.safetensors"));
        using var vocoder = Vocoders.Golden2();
        using var scope = NewDisposeScope();
        using var mode = inference_mode();
        var mel = golden.Tensor("mel");
        using var pass = new VocoderPass([new VocoderState(64)]) { Final = true };
        Compare(golden, "f0", vocoder.F0.Run(pass, mel), 1e-4f);
        var (samples, source) = vocoder.Run(mel, [0], known: null);
        Compare(golden, "source", source, 1e-4f);
        Compare(golden, "wav", samples, Tolerance(golden.Values("wav")));
    }

    [Fact]
    public void A_call_with_the_source_of_the_one_before_is_the_references()
    {
        using var golden = SafetensorsFile.Open(Repo.Golden("main/hift_cv2.safetensors"));
        using var vocoder = Vocoders.Golden2();
        using var scope = NewDisposeScope();
        using var mode = inference_mode();
        var frames = golden.Tensors["cached.wav"].Shape[1] / vocoder.SamplesPerFrame;
        var (samples, source) = vocoder.Run(golden.Tensor("mel").narrow(2, 0, frames), [0], golden.Tensor("cache_source"));
        Compare(golden, "cached.source", source, 1e-4f);
        Compare(golden, "cached.wav", samples, Tolerance(golden.Values("cached.wav")));
    }

    [Fact]
    public void An_offline_utterance_is_the_references()
    {
        using var golden = SafetensorsFile.Open(Repo.Golden("main/token2wav_cv2.safetensors"));
        using var vocoder = Vocoders.Golden2();
        using var state = vocoder.CreateState();
        using var mel = golden.Tensor("offline.hift_in_0");
        var row = new VocoderRow { State = state, Mel = mel, Final = true };
        vocoder.Begin([row]).Finish();
        Assert.Null(row.Error);
        Assert.Equal(480 * mel.shape[2], row.Samples.Length);
        var (head, tail) = (golden.Values("offline.wav_first_16000"), golden.Values("offline.wav_last_8000"));
        Near(head, row.Samples.AsSpan(..16000));
        Near(tail, row.Samples.AsSpan(^8000..));
    }

    [Fact]
    public void A_streamed_utterance_is_the_references_chunk_by_chunk()
    {
        using var golden = SafetensorsFile.Open(Repo.Golden("main/token2wav_cv2.safetensors"));
        using var vocoder = Vocoders.Golden2();
        using var state = vocoder.CreateState();
        using var scope = NewDisposeScope();
        var stream = Repo.Manifest("main/token2wav_cv2").GetProperty("runs").GetProperty("stream");
        int[] expected = [.. stream.GetProperty("chunk_samples").EnumerateArray().Select(n => n.GetInt32())];
        List<float> all = [];
        List<int> chunks = [];
        for (var call = 0; call < expected.Length; call++)
        {
            // The reference hands over the last frames of the call before again, we hand over the new ones.
            var mel = golden.Tensor($"stream.hift_in_{call}");
            var again = call == 0 ? 0 : vocoder.HeldFrames;
            var row = new VocoderRow { State = state, Mel = mel.narrow(2, again, mel.shape[2] - again), Final = call == expected.Length - 1 };
            vocoder.Begin([row]).Finish();
            Assert.Null(row.Error);
            chunks.Add(row.Samples.Length);
            all.AddRange(row.Samples);
        }
        Assert.Equal(expected, chunks);
        Near(golden.Values("stream.wav"), all.ToArray());
    }

    /// <summary>1e-3 of the largest sample, as the fixtures' manifest says.</summary>
    private static float Tolerance(float[] expected) => 1e-3f * expected.Max(MathF.Abs);

    private void Near(float[] expected, ReadOnlySpan<float> actual)
    {
        var difference = Vocoders.MaxDifference(expected, actual);
        output.WriteLine($"{difference} of {expected.Max(MathF.Abs)}");
        Assert.True(difference < Tolerance(expected), $"wav differs by {difference}");
    }

    private void Compare(ITensorArchive golden, string name, Tensor actual, float tolerance)
    {
        var difference = Vocoders.MaxDifference(golden.Values(name), actual.ToSingles());
        output.WriteLine($"{name}: {difference}");
        Assert.True(difference < tolerance, $"{name} differs by {difference}");
    }
}
