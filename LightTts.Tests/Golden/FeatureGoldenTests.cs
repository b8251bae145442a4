using LightTts.Audio;
using LightTts.Tests.Support;
using LightTts.Weights;

namespace LightTts.Tests.Golden;

/// <summary>Resampling and the three spectral features against the reference's (torchaudio, matcha, whisper, kaldi), CPU fp32.</summary>
public sealed class FeatureGoldenTests
{
    // Of fbank values, which are natural logarithms of a band's energy: 1e-3 is a thousandth of
    // that band's energy, however quiet the band (two builds of torch differ by 1.3e-4 here). The
    // norm of all differences is held to 2e-5 of the norm of all values.
    private const double FbankDifference = 2e-3, FbankNorm = 2e-5; // logarithms of near silence; without AVX-512 1.1e-3

    [Theory]
    [InlineData(16_000, "wav_16k")]
    [InlineData(24_000, "wav_24k")]
    public void Resampled_stereo_prompt_matches(int rate, string tensor)
    {
        var clip = Prompt();
        Assert.Equal(44_100, clip.SampleRate);
        AssertClose(1e-6, 0, Golden(tensor), Resampler.Resample(clip.Samples, clip.SampleRate, rate).Span);
    }

    [Fact]
    public void Upsampled_16k_source_matches()
    {
        var clip = AudioClip.FromWavFile(Repo.Golden("main/source_16k_mono.wav"));
        AssertClose(1e-6, 0, Golden("source_wav_24k_head"), Resampler.Resample(clip.Samples, clip.SampleRate, 24_000).Span[..6000]);
    }

    [Theory]
    [InlineData(null, "mel_cv3_fmax_none")]
    [InlineData(8000.0, "mel_cv2_fmax_8000")]
    public void Prompt_mel_matches(double? maxFrequency, string tensor)
    {
        var mel = new MelSpectrogram(1920, 1920, 480, 80, 24_000, 0, maxFrequency).Compute(Golden("wav_24k"), out var frames);
        Assert.Equal(Shape(tensor)[2], frames);
        AssertClose(1e-4, 1e-5, Golden(tensor), Transposed(mel, frames, 80));
    }

    [Fact]
    public void Whisper_log_mel_matches()
    {
        var mel = new WhisperLogMel(128).Compute(Golden("wav_16k"), out var frames);
        Assert.Equal(Shape("whisper_log_mel_128")[2], frames);
        AssertClose(1e-4, 1e-5, Golden("whisper_log_mel_128"), mel);
    }

    [Fact]
    public void Kaldi_fbank_matches()
    {
        var fbank = new KaldiFbank(80).Compute(Golden("wav_16k"), out var frames);
        Assert.Equal(Shape("fbank80_mean_subtracted")[0], frames);
        AssertClose(FbankDifference, FbankNorm, Golden("fbank80_mean_subtracted"), fbank);
    }

    [Fact]
    public void Embedded_voice_features_match()
    {
        using var expected = SafetensorsFile.Open(Repo.Voice("reference/ref_0_slt.safetensors"));
        var clip = AudioClip.FromWavFile(Path.Combine(Repo.TinyEn, "prompts", "slt.wav"));
        var at16k = Resampler.Resample(clip.Samples, clip.SampleRate, 16_000);
        AssertClose(1e-6, 0, expected.Tensors["prompt_16k"].ToSingles(), at16k.Span);
        AssertClose(1e-4, 1e-5, expected.Tensors["whisper_logmel"].ToSingles(), new WhisperLogMel(128).Compute(at16k, out _));
        AssertClose(FbankDifference, FbankNorm, expected.Tensors["kaldi_fbank"].ToSingles(), new KaldiFbank(80).Compute(at16k, out _));
    }

    private static AudioClip Prompt() => AudioClip.FromWavFile(Repo.Golden("main/prompt_44k_stereo.wav"));

    private static float[] Golden(string tensor)
    {
        using var file = SafetensorsFile.Open(Repo.Golden("main/features.safetensors"));
        return file.Tensors[tensor].ToSingles();
    }

    private static int[] Shape(string tensor)
    {
        using var file = SafetensorsFile.Open(Repo.Golden("main/features.safetensors"));
        return [.. file.Tensors[tensor].Shape.Select(size => (int)size)];
    }

    private static float[] Transposed(float[] values, int rows, int columns)
    {
        var result = new float[values.Length];
        for (var row = 0; row < rows; row++)
            for (var column = 0; column < columns; column++)
                result[column * rows + row] = values[row * columns + column];
        return result;
    }

    /// <summary>Largest absolute difference, and (where a bound is given) the norm of the difference relative to the expected norm.</summary>
    private static void AssertClose(double absolute, double relative, ReadOnlySpan<float> expected, ReadOnlySpan<float> actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        double largest = 0, difference = 0, norm = 0;
        for (var i = 0; i < expected.Length; i++)
        {
            var d = (double)actual[i] - expected[i];
            largest = Math.Max(largest, Math.Abs(d));
            difference += d * d;
            norm += (double)expected[i] * expected[i];
        }
        var ratio = Math.Sqrt(difference / norm);
        TestContext.Current.TestOutputHelper?.WriteLine($"largest difference {largest:E2}, relative norm {ratio:E2}");
        Assert.True(largest <= absolute, $"largest difference {largest:E2} > {absolute:E2}");
        Assert.True(relative == 0 || ratio <= relative, $"relative norm {ratio:E2} > {relative:E2}");
    }
}
