using LightTts.Tests.Audio;
using LightTts.Tests.Support;

namespace LightTts.Tests.EndToEnd;

/// <summary>Reference audio that no voice can be learnt from, from its file to AddAsync
/// on the embedded voice: refused with a cure, and the next sentence is
/// spoken. Audio that is odd but good becomes a voice that speaks.</summary>
public sealed class BadReferenceTests
{
    /// <summary>name -> (the audio, what the refusal says).</summary>
    private static readonly Dictionary<string, (Func<AudioClip> Audio, string Says)> Refused = new()
    {
        ["a file of 0 bytes"] = (() => File([]), "0 bytes"),
        ["a clip without samples"] = (() => new AudioClip(Array.Empty<float>(), 24_000), "no samples"),
        ["10 ms"] = (() => Tone(24_000, 0.01), "0.5"),
        ["just under half a second"] = (() => Tone(24_000, 0.49), "0.5"),
        ["31 s"] = (() => Tone(16_000, 31), "30"),
        ["a file of 32 s"] = (() => File(WavBuilder.Pcm16(32 * 16_000)), "31"),
        ["a header of 10 hours, and no more"] = (() => File(Header(36_000u * 16_000 * 2)), "36000"),
        ["a header of 10 hours, and a second"] = (() => File([.. Header(36_000u * 16_000 * 2), .. WavBuilder.Sine(16_000)]), "36000"),
        ["NaN"] = (() => With(float.NaN), "not numbers"),
        ["infinity"] = (() => With(float.NegativeInfinity), "infinite"),
        ["NaN in a file"] = (() =>
        File(new WavBuilder().Riff().Fmt(3, 1, 16_000, 32).Chunk("data",
            WavBuilder.Floats([.. new float[8000], float.NaN, .. new float[8000]])).ToArray()), "not numbers"),
        ["silence"] = (() => new AudioClip(new float[48_000], 24_000), "no speech"),
        ["a constant"] = (() => new AudioClip(Enumerable.Repeat(0.5f, 48_000).ToArray(), 24_000), "no speech"),
        ["noise of the last bit"] = (() => new AudioClip(Enumerable.Range(0, 48_000).Select(i => i % 2 / 32768f).ToArray(), 24_000), "no speech"),
        ["8 kHz"] = (() => Tone(8_000, 3), "16000 Hz"),
        ["1 Hz"] = (() => new AudioClip(new float[] { 0.1f, -0.1f, 0.1f }, 1), "16000 Hz"),
        ["integers that nobody divided"] =
        (() => new AudioClip(Tone(24_000, 2).Samples.ToArray().Select(sample => sample * 32_768).ToArray(), 24_000), "Divide"),
        ["a wrong magic"] = (() => File([.. "RIFT"u8, .. WavBuilder.Pcm16()[4..]]), "RIF"),
        ["an MP3"] = (() => File([.. "ID3"u8, .. new byte[1000]]), "ffmpeg"),
        ["a web page"] = (() => File("<!doctype html><html><body>404</body></html>"u8.ToArray()), "ffmpeg"),
        ["a file cut in half"] = (() => File(WavBuilder.Pcm16(32_000)[..32_000]), "again"),
        ["a file cut in its header"] = (() => File(WavBuilder.Pcm16()[..30]), "again"),
        ["a codec"] = (() => File(new WavBuilder().Riff().Fmt(2, 1, 16_000, 4, blockAlign: 256).Chunk("data", WavBuilder.Sine(8000)).ToArray()),
        "ADPCM"),
    };

    /// <summary>name -> audio that a voice can be learnt from.</summary>
    private static readonly Dictionary<string, Func<AudioClip>> Learnt = new()
    {
        ["half a second"] = () => Tone(24_000, 0.5),
        ["30 s"] = () => Tone(16_000, 30),
        ["192 kHz"] = () => Tone(192_000, 1),
        ["an odd rate"] = () => Tone(44_099, 1),
        ["over full scale"] = () => new AudioClip(Tone(24_000, 1).Samples.ToArray().Select(sample => sample * 20).ToArray(), 24_000),
        ["noise"] = () => new AudioClip(Noise(48_000).ToArray(), 24_000),
        ["a single click"] = () => new AudioClip(Enumerable.Range(0, 24_000).Select(i => i == 12_000 ? 1f : 0).ToArray(), 24_000),
    };

    public static TheoryData<string> RefusedCases => [.. Refused.Keys];

    public static TheoryData<string> LearntCases => [.. Learnt.Keys];

    [Theory]
    [MemberData(nameof(RefusedCases))]
    public async Task Refused_with_a_cure(string name)
    {
        var pipeline = await SharedPipeline.GetAsync();
        var (audio, says) = Refused[name];
        var refusal = await Assert.ThrowsAsync<TtsAudioException>(async () => await pipeline.Timbres.AddAsync(audio(), "Hello."));
        Assert.Contains(says, refusal.Message, StringComparison.Ordinal);
        await BadRequestTests.SpeaksAsync(pipeline);
    }

    [Theory]
    [MemberData(nameof(LearntCases))]
    public async Task Becomes_a_voice(string name)
    {
        var pipeline = await SharedPipeline.GetAsync();
        foreach (var transcript in new[] { null, "Hello <|endofprompt|> \ud83d\0" })
        {
            var timbre = await pipeline.Timbres.AddAsync(Learnt[name](), transcript);
            var clip = await pipeline.SpeakAsync(new SynthesisRequest { Text = "Hello.", Timbre = timbre, Delivery = AudioDelivery.Whole, Seed = 1,
                MaxSpeechTokens = 12 });
            Assert.All(clip.Samples.ToArray(), sample => Assert.True(float.IsFinite(sample) && Math.Abs(sample) <= 0.99f));
        }
        await BadRequestTests.SpeaksAsync(pipeline);
    }

    [Fact]
    public async Task A_transcript_without_end_is_refused()
    {
        var pipeline = await SharedPipeline.GetAsync();
        var refusal = await Assert.ThrowsAsync<TtsRequestException>(async () =>
            await pipeline.Timbres.AddAsync(Tone(24_000, 1), new string('a', 1_000_000)));
        Assert.Contains("at most", refusal.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<ArgumentNullException>(async () => await pipeline.Timbres.AddAsync(null!));
        await BadRequestTests.SpeaksAsync(pipeline);
    }

    private static AudioClip File(byte[] bytes) => AudioClip.FromWav(new MemoryStream(bytes));

    private static byte[] Header(uint dataBytes) =>
        new WavBuilder().Riff(size: dataBytes + 36).Fmt(1, 1, 16_000, 16).Ascii("data").U32(dataBytes).ToArray();

    private static AudioClip With(float sample)
    {
        var samples = Tone(24_000, 2).Samples.ToArray();
        samples[20_000] = sample;
        return new AudioClip(samples, 24_000);
    }

    private static AudioClip Tone(int rate, double seconds) =>
        new(Enumerable.Range(0, (int)(rate * seconds)).Select(i =>
        (float)(0.3 * Math.Sin(2 * Math.PI * 180 * i / rate) * (1 + Math.Sin(25.0 * i / rate)) / 2)).ToArray(), rate);

    private static IEnumerable<float> Noise(int count)
    {
        var random = new Random(1);
        for (var i = 0; i < count; i++)
            yield return (float)(random.NextDouble() - 0.5);
    }
}
