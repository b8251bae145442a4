using LightTts.Models.CosyVoice;
using LightTts.Models.CosyVoice.Files;
using LightTts.Models.CosyVoice.Voices;
using LightTts.Onnx;
using LightTts.Tests.Support;

namespace LightTts.Tests.Models.CosyVoice.Voices;

/// <summary>The extractor on the embedded voice model.</summary>
public sealed class TimbreExtractorTests : IDisposable
{
    private static readonly PromptMelConfig Mel = new(1920, 80, 24_000, 480, 1920, 0, null);

    private readonly TimbreExtractor _extractor = Load(Mel);

    public void Dispose() => _extractor.Dispose();

    [Theory]
    [InlineData(0.5, 16_000)]
    [InlineData(0.513, 44_100)]
    [InlineData(1.234, 48_000)]
    [InlineData(2.0, 22_050)]
    [InlineData(30.0, 16_000)]
    [InlineData(30.0, 44_100)]
    public void Tokens_and_mel_are_cut_to_what_both_cover(double seconds, int rate)
    {
        var features = _extractor.Extract(new AudioClip(Noise(seconds, rate), rate), null);
        Assert.Null(features.PromptText);
        Assert.InRange(features.SpeechTokens.Length, (int)(seconds * 25) - 1, (int)(seconds * 25) + 1);
        Assert.Equal(2 * features.SpeechTokens.Length, features.MelFrames);
        Assert.Equal(features.MelFrames * 80, features.Mel.Length);
        Assert.Equal(192, features.Embedding.Length);
        Assert.All(features.Mel, value => Assert.True(float.IsFinite(value)));
        Assert.All(features.SpeechTokens, id => Assert.InRange(id, 0, 6560));
    }

    [Fact]
    public void Unusable_audio_is_refused_and_the_extractor_lives_on()
    {
        foreach (var clip in new AudioClip[] { new(new float[16_000], 16_000), new(Noise(31, 16_000), 16_000), new(Noise(1, 8_000), 8_000),
            new(Noise(0.1, 16_000), 16_000) })
            Assert.Throws<TtsAudioException>(() => _extractor.Extract(clip, "text"));
        Assert.NotEmpty(_extractor.Extract(new AudioClip(Noise(1, 16_000), 16_000), "text").SpeechTokens);
    }

    [Fact]
    public void Same_clip_gives_the_same_features()
    {
        var clip = AudioClip.FromWavFile(Path.Combine(Repo.TinyEn, "prompts", "gb.wav"));
        var (first, second) = (_extractor.Extract(clip, "a"), _extractor.Extract(clip, "a"));
        Assert.Equal(first.SpeechTokens, second.SpeechTokens);
        Assert.Equal(first.Mel, second.Mel);
        Assert.Equal(first.Embedding, second.Embedding);
    }

    [Fact]
    public void Identity_is_of_the_files_and_the_mel()
    {
        using var same = Load(Mel);
        using var other = Load(Mel with { MaxFrequency = 8000 });
        Assert.Matches("^[0-9a-f]{64}$", _extractor.ExtractorId);
        Assert.Equal(_extractor.ExtractorId, same.ExtractorId);
        Assert.NotEqual(_extractor.ExtractorId, other.ExtractorId);
    }

    [Fact]
    public void Swapped_files_are_refused_at_load()
    {
        var (tokenizer, encoder) = (Path.Combine(Repo.TinyEn, "speech_tokenizer_v3.onnx"), Path.Combine(Repo.TinyEn, "campplus.onnx"));
        Assert.Contains("speech tokenizer",
            Assert.Throws<TtsModelLoadException>(() => TimbreExtractor.Load(encoder, tokenizer, Mel, 2, new OnnxOptions())).Message,
            StringComparison.Ordinal);
        Assert.Contains("speaker encoder",
            Assert.Throws<TtsModelLoadException>(() => TimbreExtractor.Load(tokenizer, tokenizer, Mel, 2, new OnnxOptions())).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Models_come_with_the_first_voice_and_one_that_cannot_come_is_tried_again()
    {
        using var folder = new TempFolder();
        foreach (var file in (string[])["speech_tokenizer_v3.onnx", "campplus.onnx"])
            File.Copy(Path.Combine(Repo.TinyEn, file), folder[file]);
        using var extractor = TimbreExtractor.Load(folder["speech_tokenizer_v3.onnx"], folder["campplus.onnx"], Mel, 2, new OnnxOptions());
        Assert.Equal(_extractor.ExtractorId, extractor.ExtractorId);
        File.Move(folder["campplus.onnx"], folder["elsewhere"]);
        var clip = new AudioClip(Noise(1, 16_000), 16_000);
        Assert.Contains("campplus.onnx", Assert.Throws<TtsModelLoadException>(() => extractor.Extract(clip, null)).Message, StringComparison.Ordinal);
        File.Move(folder["elsewhere"], folder["campplus.onnx"]);
        Assert.Equal(_extractor.Extract(clip, null).Embedding, extractor.Extract(clip, null).Embedding);
    }

    [Fact]
    public void Tokenizer_refuses_more_than_30_s()
    {
        using var tokenizer = SpeechTokenizer.Load(Path.Combine(Repo.TinyEn, "speech_tokenizer_v3.onnx"), new OnnxOptions { Threads = 1 });
        Assert.Equal(750, tokenizer.Tokenize(Noise(30, 16_000)).Length);
        Assert.Throws<TtsAudioException>(() => tokenizer.Tokenize(new float[480_001]));
    }

    private static TimbreExtractor Load(PromptMelConfig mel) => TimbreExtractor.Load(
        Path.Combine(Repo.TinyEn, "speech_tokenizer_v3.onnx"), Path.Combine(Repo.TinyEn, "campplus.onnx"), mel, 2, new OnnxOptions { Threads = 1 });

    private static float[] Noise(double seconds, int rate)
    {
        var random = new Random(rate);
        var samples = new float[(int)Math.Round(seconds * rate)];
        for (var i = 0; i < samples.Length; i++)
            samples[i] = 0.2f * (random.NextSingle() - 0.5f);
        return samples;
    }
}
