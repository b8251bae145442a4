using LightTts.Tests.Support;

namespace LightTts.Tests.EndToEnd;

/// <summary>The embedded voice speaks sentences that it was not trained on, and recognisers read them back.</summary>
/// <remarks>
/// LIGHTTTS_FULL=1 takes all 40 sentences of each voice instead of the first 10;
/// LIGHTTTS_HEARD_VOICES, LIGHTTTS_HEARD_SEED, LIGHTTTS_HEARD_STEPS and LIGHTTTS_HEARD_FIRST_STEPS choose voices,
/// draws and solver steps, the last those of a stream's first chunk; LIGHTTTS_HEARD_DEVICE=cuda speaks on the GPU. LIGHTTTS_HEARD_CLIPS names a
/// folder in which the clips are kept, and from which they are read where they are there: what was spoken on one machine is heard on another.
/// </remarks>
public class HeardTests(ITestOutputHelper output)
{
    private static readonly string[] Sentences = File.ReadAllLines(Path.Combine(Repo.Root, "LightTts.Tests", "EndToEnd", "sentences.txt"));

    /// <summary>First seed; other draws move a voice's figure by about 3 points.</summary>
    private static readonly int Seeds = int.Parse(Environment.GetEnvironmentVariable("LIGHTTTS_HEARD_SEED")
        ?? "400", System.Globalization.CultureInfo.InvariantCulture);

    private static readonly int? Steps = Number("LIGHTTTS_HEARD_STEPS"), FirstSteps = Number("LIGHTTTS_HEARD_FIRST_STEPS");

    private static readonly string? Clips =
        Environment.GetEnvironmentVariable("LIGHTTTS_HEARD_CLIPS") is { Length: > 0 } folder ? Directory.CreateDirectory(folder).FullName : null;

    private static readonly bool OnGpu = Environment.GetEnvironmentVariable("LIGHTTTS_HEARD_DEVICE") == "cuda";
    private static readonly Lazy<Task<TtsPipeline>> Gpu = new(LoadOnGpuAsync);

    private static readonly int Count = FullRun.Pick(10, Sentences.Length);

    /// <summary>Points above the trained voice's figure: those of other draws and, with ten sentences instead of forty, of the sample.</summary>
    private static readonly double Leeway = FullRun.IsOn ? 3 : 5;

    /// <summary>Character error of each voice when it was trained, whole and streamed, in percent (models/lighttts-tiny-en/README.md).</summary>
    private static readonly Dictionary<string, (double Whole, double Streamed)> TrainedCharacters = new()
    {
        ["slt"] = (6.9, 7.6), ["rms"] = (4.0, 3.9), ["awb"] = (6.0, 6.7), ["us"] = (7.4, 7.6), ["gb"] = (10.4, 9.9),
    };

    /// <summary>Character error of all five voices, spoken whole, in percent.</summary>
    public static double WholeSentences => TrainedCharacters.Values.Average(rate => rate.Whole);

    /// <summary>Word error of the voices that pocketsphinx understands, by the reference
    /// implementation or by LightTts at other draws, whichever is higher.</summary>
    private static readonly Dictionary<string, double> TrainedWords = new() { ["slt"] = 14.7, ["rms"] = 10.2 };

    public static TheoryData<string, AudioDelivery> Voices()
    {
        var data = new TheoryData<string, AudioDelivery>();
        foreach (var voice in Environment.GetEnvironmentVariable("LIGHTTTS_HEARD_VOICES")?.Split(',') ?? [.. TrainedCharacters.Keys])
        {
            data.Add(voice, AudioDelivery.Whole);
            data.Add(voice, AudioDelivery.Streaming);
        }
        return data;
    }

    [Theory]
    [MemberData(nameof(Voices))]
    public async Task Sentences_are_read_back(string voice, AudioDelivery mode)
    {
        var clips = await SpeakAsync(voice, mode);
        CheckSound(voice, clips);

        using var recogniser = new Recogniser();
        int characters = 0, errors = 0;
        for (var i = 0; i < clips.Length; i++)
        {
            var expected = Recogniser.Plain(Sentences[i]);
            var heard = recogniser.Read(clips[i]);
            var distance = Recogniser.Distance(expected.ToCharArray(), heard.ToCharArray());
            output.WriteLine($"{i:00} {distance}/{expected.Length} {expected} | {heard}");
            characters += expected.Length;
            errors += distance;
        }
        var rate = 100.0 * errors / characters;
        var trained = mode == AudioDelivery.Whole ? TrainedCharacters[voice].Whole : TrainedCharacters[voice].Streamed;
        output.WriteLine($"{voice} {mode}: character error {rate:0.0} %, when trained {trained:0.0} %");
        Assert.True(rate <= trained + Leeway, $"{voice} {mode}: character error {rate:0.0} %, when trained {trained:0.0} %");

        if (TrainedWords.TryGetValue(voice, out var words))
            await HearIndependently(voice, mode, clips, words);
    }

    private async Task HearIndependently(string voice, AudioDelivery mode, AudioClip[] clips, double trained)
    {
        if (!Pocketsphinx.IsInstalled)
        {
            output.WriteLine("pocketsphinx is not installed (Debian: pocketsphinx pocketsphinx-en-us); word errors were not measured");
            return;
        }
        int words = 0, errors = 0;
        for (var i = 0; i < clips.Length; i++)
        {
            var expected = Pocketsphinx.Words(Sentences[i].Replace('-', ' '));
            var heard = await Pocketsphinx.HearAsync(clips[i]);
            words += expected.Length;
            errors += Recogniser.Distance(expected, heard);
        }
        var rate = 100.0 * errors / words;
        output.WriteLine($"{voice} {mode}: word error {rate:0.0} %, when trained {trained:0.0} %");
        Assert.True(rate <= trained + Leeway, $"{voice} {mode}: word error {rate:0.0} %, when trained {trained:0.0} %");
    }

    /// <summary>No clip may be silent, clipped or not finite, and each takes about as long as the voice's own reference audio suggests.</summary>
    private static void CheckSound(string voice, AudioClip[] clips)
    {
        var prompt = AudioClip.FromWavFile(Path.Combine(Repo.TinyEn, "prompts", voice + ".wav"));
        var prompts = File.ReadAllText(Path.Combine(Repo.TinyEn, "prompts", "prompts.json"));
        using var json = System.Text.Json.JsonDocument.Parse(prompts);
        var transcript = json.RootElement.GetProperty("voices").EnumerateArray().Single(entry =>
            entry.GetProperty("name").GetString() == voice).GetProperty("text").GetString()!;
        var secondsPerCharacter = prompt.Duration.TotalSeconds / transcript.Length;
        for (var i = 0; i < clips.Length; i++)
        {
            var samples = clips[i].Samples.ToArray();
            Assert.All(samples, sample => Assert.True(float.IsFinite(sample) && Math.Abs(sample) <= 0.99f));
            var rms = Math.Sqrt(samples.Average(sample => (double)sample * sample));
            Assert.InRange(rms, 0.01, 0.5);
            Assert.True(samples.Count(sample => Math.Abs(sample) >= 0.985f) < samples.Length / 1000, $"{voice} {i}: clipped");
            var expected = 0.3 + Sentences[i].Length * secondsPerCharacter;
            Assert.True(clips[i].Duration.TotalSeconds / expected is > 0.6 and < 1.6,
                $"{voice} {i}: {clips[i].Duration.TotalSeconds:0.00} s, expected about {expected:0.00} s");
        }
    }

    private static async Task<AudioClip[]> SpeakAsync(string voice, AudioDelivery mode)
    {
        string[] paths = Clips is null ? [] : [.. Enumerable.Range(0, Count).Select(i => Path.Combine(Clips, $"{voice}-{mode}-{i:00}.wav"))];
        if (paths.Length > 0 && Array.TrueForAll(paths, File.Exists))
            return [.. paths.Select(path => AudioClip.FromWavFile(path))];
        var pipeline = await (OnGpu ? Gpu.Value : SharedPipeline.GetAsync());
        var clips = await Task.WhenAll(Enumerable.Range(0, Count).Select(i =>
            pipeline.SpeakAsync(new SynthesisRequest { Text = Sentences[i], Voice = voice, Delivery = mode, Seed = Seeds + i, FlowSteps = Steps,
                FirstFlowSteps = FirstSteps })));
        foreach (var (path, clip) in paths.Zip(clips))
            clip.SaveWav(path);
        return clips;
    }

    private static int? Number(string variable) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), System.Globalization.CultureInfo.InvariantCulture, out var number) ? number : null;

    private static Task<TtsPipeline> LoadOnGpuAsync()
    {
        var options = SharedPipeline.Options();
        options.Device = ComputeDevice.Cuda;
        return TtsPipeline.LoadAsync(options);
    }
}
