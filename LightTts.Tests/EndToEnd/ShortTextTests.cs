using LightTts.Tests.Support;

namespace LightTts.Tests.EndToEnd;

/// <summary>Words, numbers, letters and greetings by themselves: nothing that can be read is silent.</summary>
/// <remarks>LIGHTTTS_FULL=1 takes 300 texts and three seeds in all five voices instead of
/// 40 texts in turn; LIGHTTTS_SHORT_TEXTS so many of them.</remarks>
public class ShortTextTests(ITestOutputHelper output)
{
    private static readonly string[] Voices = ["slt", "rms", "awb", "us", "gb"];

    private static readonly string[] Words =
    [
        "hello", "yes", "no", "thanks", "welcome", "seven", "water", "london", "morning", "music", "window", "please", "sorry", "maybe", "tomorrow",
            "family", "garden", "summer",
        "friday", "coffee", "mountain", "teacher", "perfect", "goodbye", "kitchen", "orange", "station", "winter", "letter", "question", "yellow",
        "doctor", "river", "silver",
        "paper", "simple", "travel", "bicycle", "village", "evening",
    ];

    private static readonly string[] Fragments =
    [
        "hello world.", "late arrival here", "ok thanks bye", "and he said: \"hello.\"", "good morning", "see you later", "of course", "not at all",
            "thank you very much", "well done",
        "how are you?", "come in!", "in the afternoon", "on the other hand", "two of them", "just a moment", "no problem", "as soon as possible",
        "Yes, please.", "I see.",
    ];

    public static string[] Texts { get; } =
    [
        .. Words.SelectMany(word =>
            new[] { word, char.ToUpperInvariant(word[0]) + word[1..], word.ToUpperInvariant(), char.ToUpperInvariant(word[0]) + word[1..] + "." }),
        .. Enumerable.Range(0, 60).Select(i => (i < 21 ? i : i < 50 ? i * 7 : i * 191).ToString(System.Globalization.CultureInfo.InvariantCulture)),
        .. Enumerable.Range(0, 26).Select(i => ((char)('a' + i)).ToString()),
        .. Enumerable.Range(0, 26).Select(i => ((char)('A' + i)).ToString()),
        .. Fragments,
        "3 p.m.", "$5", "50%", "1st", "2 km", "Dr. Lee", "No. 5", "U.S.",
    ];

    [Fact]
    public async Task Short_texts_are_spoken()
    {
        Assert.Equal(300, Texts.Length);
        var pipeline = await SharedPipeline.GetAsync();
        var count = Environment.GetEnvironmentVariable("LIGHTTTS_SHORT_TEXTS") is { Length: > 0 } asked
            ? int.Parse(asked, System.Globalization.CultureInfo.InvariantCulture)
            : FullRun.Pick(40, 4500);
        // texts first, then voices, then seeds: any number is a fair sample
        var cases = Enumerable.Range(0, count).Select(i =>
            (text: Texts[i * 37 % 300], voice: Voices[(i + i / 300) % 5], seed: (long)(i / 1500 + (count < 300 ? i % 3 : 0)))).ToArray();
        using var slots = new SemaphoreSlim(64);
        var spoken = await Task.WhenAll(cases.Select(async one =>
        {
            await slots.WaitAsync(TestContext.Current.CancellationToken);
            try
            {
                List<AudioChunk> chunks = [];
                await foreach (var chunk in pipeline.SynthesizeAsync(new SynthesisRequest { Text = one.text, Voice = one.voice, Seed = one.seed,
                    Delivery = AudioDelivery.Whole }))
                    chunks.Add(chunk);
                return (one, chunks, error: (Exception?)null);
            }
            catch (TtsSynthesisException e)
            {
                return (one, [], e);
            }
            finally
            {
                slots.Release();
            }
        }));
        var faults = new List<string>();
        var silent = 0;
        using var recogniser = new Recogniser();
        var heard = new Dictionary<string, (int Errors, int Characters)>();
        foreach (var (one, chunks, error) in spoken)
        {
            var samples = chunks.SelectMany(chunk => chunk.Samples.ToArray()).ToArray();
            var seconds = samples.Length / 24_000.0;
            var rms = samples.Length == 0 ? 0 : Math.Sqrt(samples.Average(sample => (double)sample * sample));
            output.WriteLine($"{one.voice} {one.seed} '{one.text}': {seconds:0.00} s, rms {rms:0.000}, {chunks.FirstOrDefault()?.Redraws} "
                + $"{chunks.LastOrDefault()?.Quality} {error?.Message}");
            // Twice of a slow reader's: half a second around it and ten letters a second, each digit read as a word.
            var longest = 2 * (0.5 + one.text.Sum(c => char.IsDigit(c) || char.IsUpper(c) ? 5 : 1) / 10.0);
            if (samples.Length > 0)
            {
                var expected = Recogniser.Plain((await pipeline.NormalizeAsync(new SynthesisRequest { Text = one.text }))[0].Text);
                var plain = recogniser.Read(new AudioClip(samples, 24_000));
                var distance = Recogniser.Distance(expected.ToCharArray(), plain.ToCharArray());
                output.WriteLine($"    {distance}/{expected.Length} {expected} | {plain}");
                foreach (var group in (string[])["all", one.voice, one.text.Length == 1 && char.IsLetter(one.text[0]) ? "letters" : "others"])
                {
                    var (errors, characters) = heard.GetValueOrDefault(group);
                    heard[group] = (errors + distance, characters + expected.Length);
                }
            }
            silent += error is not null || rms < 0.005 || seconds < 0.12 ? 1 : 0;
            if (error is not null || rms < 0.005 || seconds < 0.12 || seconds > longest)
                faults.Add($"{one.voice} {one.seed} '{one.text}': {seconds:0.00} s (at most {longest:0.00}), rms {rms:0.000}, {error?.Message}");
        }
        output.WriteLine($"{spoken.Length} texts: {spoken.Count(s => s.chunks.Any(c => c.Redraws > 0))} drawn again, "
            + $"{spoken.Count(s => s.chunks.Any(c => c.Quality is not (null or SpeechQuality.Plausible)))} flagged, {faults.Count} faults");
        foreach (var (group, (errors, characters)) in heard.OrderBy(pair => pair.Key, StringComparer.Ordinal))
            output.WriteLine($"{group}: character error {100.0 * errors / characters:0.0} %");
        foreach (var fault in faults)
            output.WriteLine("FAULT " + fault);
        // None may be silent; in a sample of few, a babble now and then is the model's.
        Assert.True(silent == 0, $"{silent} of {spoken.Length} texts are silent:{Environment.NewLine}{string.Join(Environment.NewLine, faults)}");
        Assert.True(faults.Count <= (FullRun.IsOn ? 0 : spoken.Length / 50), string.Join(Environment.NewLine, faults));
        if (FullRun.IsOn)
            Assert.InRange(100.0 * heard["all"].Errors / heard["all"].Characters, 0, 1.5 * HeardTests.WholeSentences);
    }
}
