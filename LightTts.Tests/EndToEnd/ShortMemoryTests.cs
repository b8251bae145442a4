using LightTts.Tests.Support;

namespace LightTts.Tests.EndToEnd;

/// <summary>Listeners in company whose streams have nearly no memory for their pasts: slower, but
/// nobody fails and nobody hears a difference.</summary>
public sealed class ShortMemoryTests(ITestOutputHelper output)
{
    private static readonly string[] Texts =
    [
        "The old lighthouse stood on a rocky cliff above the sea, and every evening its light turned slowly over the dark water.",
        "He never said a word, but walked down to the harbour every single morning to look at the boats.",
        "Fresh bread and a little butter are enough for a long walk through the hills in the early autumn.",
        "A storm came up in the night, and nobody in the village slept until the wind had gone out to sea again.",
    ];

    [Fact]
    public async Task Every_listener_hears_what_it_would_hear_with_memory()
    {
        const long budget = 12 << 20; // less than one of them takes
        var roomy = await SharedPipeline.GetAsync();
        var options = SharedPipeline.Options();
        options.FlowCacheBytes = budget;
        await using var narrow = await TtsPipeline.LoadAsync(options);
        Assert.Equal(0, narrow.Status.FlowCacheBytes);
        var heard = await Task.WhenAll(Texts.Select(text => Listen(narrow, text)));
        var status = narrow.Status;
        Assert.InRange(status.FlowCacheBytes, budget * 8 / 10, budget);
        Assert.InRange(status.FlowCacheBytesInUse, 0, budget);
        for (var i = 0; i < Texts.Length; i++)
        {
            var expected = await Listen(roomy, Texts[i]);
            Assert.Equal(expected.Length, heard[i].Length);
            var difference = Vocoders.MaxDifference(expected, heard[i]);
            output.WriteLine($"{expected.Length} samples, largest difference {difference:E1}");
            Assert.True(difference <= 3e-4f, $"listener {i} hears a difference of {difference}");
        }
    }

    private static async Task<float[]> Listen(TtsPipeline pipeline, string text)
    {
        List<float> samples = [];
        await foreach (var chunk in pipeline.SynthesizeAsync(new SynthesisRequest { Text = text, Voice = "slt", Seed = 3, FlowSteps = 3 }))
            samples.AddRange(chunk.Samples.Span);
        return [.. samples];
    }
}
