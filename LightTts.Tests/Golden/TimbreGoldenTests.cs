using LightTts.Models.CosyVoice;
using LightTts.Models.CosyVoice.Files;
using LightTts.Models.CosyVoice.Voices;
using LightTts.Onnx;
using LightTts.Tests.Support;
using LightTts.Timbres;
using LightTts.Weights;
using Microsoft.ML.OnnxRuntime;

namespace LightTts.Tests.Golden;

/// <summary>The whole zero-shot front end (WAV to tokens, mel and embedding) against the reference's.</summary>
public sealed class TimbreGoldenTests
{
    [Theory]
    [InlineData("cv3", "cosyvoice3-tiny", "speech_tokenizer_v3.onnx", null)]
    [InlineData("cv2", "cosyvoice2-tiny", "speech_tokenizer_v2.onnx", 8000.0)]
    public void Zero_shot_front_end_matches(string version, string model, string tokenizer, double? maxFrequency)
    {
        var features = Extract(Repo.Golden($"main/models/{model}"), tokenizer, maxFrequency, Repo.Golden("main/prompt_44k_stereo.wav"));
        using var golden = SafetensorsFile.Open(Repo.Golden("main/frontend_modes.safetensors"));
        AssertMatches(golden, $"{version}.zero_shot.flow_prompt_speech_token", $"{version}.zero_shot.prompt_speech_feat",
            $"{version}.zero_shot.flow_embedding", 1e-4, features);
    }

    [Theory]
    [InlineData("ref_0_slt", "slt")]
    [InlineData("ref_1_rms", "rms")]
    [InlineData("ref_2_us", "us")]
    public void Embedded_voices_match(string reference, string voice)
    {
        var features = Extract(Repo.TinyEn, "speech_tokenizer_v3.onnx", null, Path.Combine(Repo.TinyEn, "prompts", voice + ".wav"));
        using var expected = SafetensorsFile.Open(Repo.Voice($"reference/{reference}.safetensors"));
        // These embeddings come from the encoder's PyTorch form, which is 1e-4 away from
        // ONNX Runtime on the very same filter banks (see the next test).
        AssertMatches(expected, "prompt_speech_token", "prompt_speech_feat", "embedding", 5e-4, features);
    }

    [Fact]
    public void Embedding_is_that_of_the_references_filter_banks()
    {
        using var reference = SafetensorsFile.Open(Repo.Voice("reference/ref_0_slt.safetensors"));
        var banks = reference.Tensors["kaldi_fbank"];
        var model = Path.Combine(Repo.TinyEn, "campplus.onnx");
        using var session = OnnxSession.Load(model, new OnnxOptions { Threads = 1 });
        using var input = OrtValue.CreateTensorValueFromMemory(banks.ToSingles(), [1, .. banks.Shape]);
        using var encoder = SpeakerEncoder.Load(model, new OnnxOptions { Threads = 1 });
        AssertNear(2e-5, session.Run([input], output => output.GetTensorDataAsSpan<float>().ToArray()),
            encoder.Embed(reference.Tensors["prompt_16k"].ToSingles()));
    }

    private static TimbreFeatures Extract(string model, string tokenizer, double? maxFrequency, string wav)
    {
        var mel = new PromptMelConfig(1920, 80, 24_000, 480, 1920, 0, maxFrequency);
        using var extractor = TimbreExtractor.Load(Path.Combine(model, tokenizer), Path.Combine(model, "campplus.onnx"), mel, 2,
            new OnnxOptions { Threads = 1 });
        return extractor.Extract(AudioClip.FromWavFile(wav), "transcript");
    }

    private static void AssertMatches(SafetensorsFile golden, string tokens, string mel, string embedding, double embeddingTolerance,
        TimbreFeatures features)
    {
        Assert.Equal("transcript", features.PromptText);
        Assert.Equal(golden.Tensors[tokens].ToInt64s(), features.SpeechTokens.Select(id => (long)id));
        Assert.Equal(2 * features.SpeechTokens.Length, features.MelFrames);
        AssertNear(1e-4, golden.Tensors[mel].ToSingles(), features.Mel);
        AssertNear(embeddingTolerance, golden.Tensors[embedding].ToSingles(), features.Embedding);
    }

    /// <summary>The norm of the difference, relative to the expected norm.</summary>
    private static void AssertNear(double tolerance, float[] expected, float[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        var difference = Math.Sqrt(expected.Zip(actual, (e, a) => Math.Pow((double)e - a, 2)).Sum());
        var ratio = difference / Math.Sqrt(expected.Sum(e => (double)e * e));
        TestContext.Current.TestOutputHelper?.WriteLine($"relative norm of the difference {ratio:E2}");
        Assert.True(ratio <= tolerance, $"relative norm of the difference {ratio:E2} > {tolerance:E2}");
    }
}
