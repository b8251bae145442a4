using System.Numerics.Tensors;
using System.Text.Json;
using LightTts.Audio;
using LightTts.Models.CosyVoice.Voices;
using LightTts.Onnx;
using LightTts.Tests.Pipeline.Fakes;
using LightTts.Tests.Support;

namespace LightTts.Tests.EndToEnd;

/// <summary>The embedded voices, spoken in each other's: a recogniser still hears the words,
/// and the speaker encoder hears the other speaker.</summary>
public sealed class ConversionTests(ITestOutputHelper output)
{
    private static readonly string[] Names = ["slt", "rms", "awb", "us", "gb"];
    private static readonly Dictionary<string, AudioClip> Clips = Names.ToDictionary(name => name, name =>
        AudioClip.FromWavFile(Path.Combine(Repo.TinyEn, "prompts", name + ".wav")));

    public enum Way
    {
        Whole,
        Streamed,
        Live,
    }

    [Theory]
    [InlineData(Way.Whole)]
    [InlineData(Way.Streamed)]
    [InlineData(Way.Live)]
    public async Task Words_stay_and_the_speaker_changes(Way way)
    {
        var pipeline = await SharedPipeline.GetAsync();
        using var prompts = JsonDocument.Parse(File.ReadAllText(Path.Combine(Repo.TinyEn, "prompts", "prompts.json")));
        var texts = prompts.RootElement.GetProperty("voices").EnumerateArray().ToDictionary(voice => voice.GetProperty("name").GetString()!,
            voice => Recogniser.Plain(voice.GetProperty("text").GetString()!));
        using var recogniser = new Recogniser();
        using var encoder = SpeakerEncoder.Load(Path.Combine(Repo.TinyEn, "campplus.onnx"), new OnnxOptions { Threads = 1 });
        float[] Speaker(AudioClip clip) => encoder.Embed(Resampler.Resample(clip.Samples, clip.SampleRate, 16_000));
        var speakers = Names.ToDictionary(name => name, name => Speaker(Clips[name]));
        int characters = 0, errors = 0, before = 0;
        foreach (var source in Names)
        {
            foreach (var target in Names.Where(name => name != source))
            {
                var converted = await ConvertAsync(pipeline, way, Clips[source], target);
                Assert.Equal(Clips[source].Duration.TotalSeconds, converted.Duration.TotalSeconds, 0.05);
                var heard = recogniser.Read(converted);
                characters += texts[source].Length;
                errors += Recogniser.Distance(texts[source].ToCharArray(), heard.ToCharArray());
                before += Recogniser.Distance(texts[source].ToCharArray(), recogniser.Read(Clips[source]).ToCharArray());
                var speaker = Speaker(converted);
                var (toTarget, toSource) = (TensorPrimitives.CosineSimilarity<float>(speaker, speakers[target]),
                    TensorPrimitives.CosineSimilarity<float>(speaker, speakers[source]));
                output.WriteLine($"{source} as {target}: like the target {toTarget:0.00}, like the source {toSource:0.00} | {heard}");
                Assert.True(toTarget > toSource, $"{source} as {target}: like the target {toTarget:0.00}, like the source {toSource:0.00}");
            }
        }
        var (after, was) = (100.0 * errors / characters, 100.0 * before / characters);
        output.WriteLine($"{way}: character error {after:0.0} %, of the sources {was:0.0} %");
        Assert.True(after <= was + 11, $"{way}: character error {after:0.0} %, of the sources {was:0.0} %");
    }

    [Fact]
    public async Task More_than_thirty_seconds_are_converted_in_parts()
    {
        var pipeline = await SharedPipeline.GetAsync();
        var pause = new float[8000];
        float[] story = [.. Enumerable.Range(0, 8).SelectMany(i => Resampler.Resample(Clips[Names[i % 2]].Samples, Clips[Names[i % 2]].SampleRate,
            16_000).ToArray().Concat(pause))];
        story = [.. story, .. story];
        var source = new AudioClip(story, 16_000);
        Assert.InRange(source.Duration.TotalSeconds, 31, 200);
        var chunks = await FakeEngine.Collect(pipeline.ConvertAsync(source, new ConversionRequest { Voice = "awb", Delivery = AudioDelivery.Whole }));
        Assert.Equal((int)Math.Ceiling(source.Duration.TotalSeconds / 30), chunks[^1].SentenceIndex + 1, 2.0);
        Assert.Equal(source.Duration.TotalSeconds, chunks.Sum(chunk => chunk.Duration.TotalSeconds), 0.05);
        Assert.True(chunks[^1].IsLast);
        Assert.All(chunks.SkipLast(1), chunk => Assert.False(chunk.IsLast));
        using var recogniser = new Recogniser();
        var first = new AudioClip(chunks[0].Samples, 24_000);
        using var encoder = SpeakerEncoder.Load(Path.Combine(Repo.TinyEn, "campplus.onnx"), new OnnxOptions { Threads = 1 });
        Assert.NotEmpty(recogniser.Read(first));
    }

    [Fact]
    public async Task Where_live_pieces_are_cut_changes_nothing()
    {
        var pipeline = await SharedPipeline.GetAsync();
        List<int[]> tokens = [];
        foreach (var size in new[] { 160, 4_801, 1_000_000 })
        {
            var chunks = await FakeEngine.Collect(pipeline.ConvertAsync(Pieces(Clips["rms"], size), new ConversionRequest { Voice = "slt" }));
            tokens.Add([.. chunks.SelectMany(chunk => chunk.SpeechTokens.ToArray())]);
        }
        Assert.Equal(tokens[0], tokens[1]);
        Assert.Equal(tokens[0], tokens[2]);
    }

    [Fact]
    public async Task Live_audio_is_spoken_before_its_source_ends()
    {
        var pipeline = await SharedPipeline.GetAsync();
        var heard = new TaskCompletionSource();
        var spoken = 0;
        await foreach (var chunk in pipeline.ConvertAsync(Held(heard.Task), new ConversionRequest { Voice = "slt" }))
        {
            spoken += chunk.Samples.Length;
            heard.TrySetResult();
        }
        Assert.Equal(2 * Clips["rms"].Duration.TotalSeconds, spoken / 24_000.0, 0.05);

        // The second half comes only after audio of the first was heard.
        static async IAsyncEnumerable<AudioClip> Held(Task heard)
        {
            yield return Clips["rms"];
            await heard.WaitAsync(TimeSpan.FromSeconds(30));
            yield return Clips["rms"];
        }
    }

    [Fact]
    public async Task What_cannot_be_converted_is_refused_by_name()
    {
        var pipeline = await SharedPipeline.GetAsync();
        var clip = Clips["slt"];
        Assert.Contains("8000 Hz", Assert.Throws<TtsAudioException>(() => pipeline.ConvertAsync(new AudioClip(clip.Samples, 8_000))).Message,
            StringComparison.Ordinal);
        Assert.Contains("NaN", Assert.Throws<TtsAudioException>(() => pipeline.ConvertAsync(new AudioClip(new[] { 0, float.NaN }, 16_000))).Message,
            StringComparison.Ordinal);
        Assert.Contains("Speed", Assert.Throws<TtsRequestException>(() => pipeline.ConvertAsync(clip, new ConversionRequest { Speed = 2 })).Message,
            StringComparison.Ordinal);
        await Refused<TtsRequestException>("nobody", pipeline.ConvertAsync(clip, new ConversionRequest { Voice = "nobody" }));
        await Refused<TtsAudioException>("0.1 s", pipeline.ConvertAsync(new AudioClip(new float[100], 16_000)));
        await Refused<TtsAudioException>("0.1 s", pipeline.ConvertAsync(Several()));
        await Refused<TtsAudioException>("24000", pipeline.ConvertAsync(Several(new AudioClip(new float[16_000], 16_000),
            new AudioClip(new float[9], 24_000))));
        await Refused<TtsAudioException>("NaN", pipeline.ConvertAsync(Several(clip, new AudioClip(new[] { float.NaN }, clip.SampleRate))));
        await Refused<TtsRequestException>("microphone", pipeline.ConvertAsync(Broken(clip)));

        static async Task Refused<T>(string named, IAsyncEnumerable<AudioChunk> chunks) where T : TtsException =>
            Assert.Contains(named, (await Assert.ThrowsAsync<T>(() => FakeEngine.Collect(chunks))).Message, StringComparison.Ordinal);

        static async IAsyncEnumerable<AudioClip> Several(params AudioClip[] clips)
        {
            await Task.Yield();
            foreach (var clip in clips)
                yield return clip;
        }

        static async IAsyncEnumerable<AudioClip> Broken(AudioClip clip)
        {
            await Task.Yield();
            yield return clip;
            throw new IOException("the microphone was pulled out");
        }
    }

    private static async Task<AudioClip> ConvertAsync(TtsPipeline pipeline, Way way, AudioClip source, string target)
    {
        if (way == Way.Whole)
            return await pipeline.ConvertToClipAsync(source, target);
        var request = new ConversionRequest { Voice = target };
        var chunks = way == Way.Streamed ? pipeline.ConvertAsync(source, request) : pipeline.ConvertAsync(Pieces(source, 800), request);
        return new AudioClip(FakeEngine.Join(await FakeEngine.Collect(chunks)), pipeline.Model.SampleRate);
    }

    private static async IAsyncEnumerable<AudioClip> Pieces(AudioClip clip, int size)
    {
        for (var at = 0; at < clip.Samples.Length; at += size)
        {
            yield return new AudioClip(clip.Samples[at..Math.Min(at + size, clip.Samples.Length)], clip.SampleRate);
            await Task.Yield();
        }
    }
}
