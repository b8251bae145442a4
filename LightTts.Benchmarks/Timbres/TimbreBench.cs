using LightTts.Models.CosyVoice;
using LightTts.Models.CosyVoice.Files;
using LightTts.Models.CosyVoice.Voices;
using LightTts.Onnx;
using LightTts.Timbres;

namespace LightTts.Benchmarks.Timbres;

/// <summary>A store with one voice of 4 s in it, over the real extractor of a model directory.</summary>
internal sealed class TimbreBench : IDisposable
{
    private readonly TimbreExtractor _extractor;
    private readonly Lock _extracting = new();
    private readonly AudioClip _prompt;
    private int _variant;

    public TimbreBench(string segmentPath, string? modelPath = null)
    {
        var model = ModelDirectory.Open(modelPath ?? Path.Combine(AppContext.BaseDirectory, "models", "lighttts-tiny-en"));
        var config = model.Config;
        _extractor = TimbreExtractor.Load(model.Files.SpeechTokenizer, model.Files.SpeakerEncoder, config.PromptMel, config.TokenMelRatio,
            new OnnxOptions());
        ExtractorId = _extractor.ExtractorId;
        _prompt = Prompt(Path.Combine(model.Files.Root, "prompts"));
        Store = new TimbreStore(Options(segmentPath), ExtractorId, (clip, transcript, _) =>
        {
            lock (_extracting)
                return new ValueTask<TimbreFeatures>(_extractor.Extract(clip, transcript));
        });
        Id = Store.AddAsync(_prompt).AsTask().GetAwaiter().GetResult().Id;
        TimbreKey.TryParse(Id, out var key);
        Key = key;
    }

    public string ExtractorId { get; }

    public TimbreStore Store { get; }

    public string Id { get; }

    public TimbreKey Key { get; }

    public double PromptSeconds => _prompt.Duration.TotalSeconds;

    public static TimbreStoreOptions Options(string segmentPath) => new() { SegmentPath = segmentPath, DurableFolder = segmentPath + ".named" };

    public Timbre? OwnHit() => Store.GetAsync(Id).Result;

    /// <summary>Finds the voice in the segment: this process has forgotten it.</summary>
    public Timbre? SegmentHit()
    {
        Store.Cache.Remove(Key);
        return Store.GetAsync(Id).Result;
    }

    /// <summary>The same audio again: hashed, then found in this process.</summary>
    public Timbre AddAgain() => Store.AddAsync(_prompt).AsTask().GetAwaiter().GetResult();

    /// <summary>A voice that was never seen: extracted, published.</summary>
    public Timbre Miss()
    {
        var samples = _prompt.Samples.ToArray();
        samples[0] = 1e-6f * ++_variant;
        return Store.AddAsync(new AudioClip(samples, _prompt.SampleRate)).AsTask().GetAwaiter().GetResult();
    }

    public void Dispose()
    {
        Store.Dispose();
        _extractor.Dispose();
    }

    // 4 s of speech, from as many repetitions of a prompt as that takes.
    private static AudioClip Prompt(string folder)
    {
        var clip = AudioClip.FromWavFile(Directory.GetFiles(folder, "*.wav").Order(StringComparer.Ordinal).First());
        var samples = new float[4 * clip.SampleRate];
        for (var at = 0; at < samples.Length; at += clip.Samples.Length)
            clip.Samples.Span[..Math.Min(clip.Samples.Length, samples.Length - at)].CopyTo(samples.AsSpan(at));
        return new AudioClip(samples, clip.SampleRate);
    }
}
