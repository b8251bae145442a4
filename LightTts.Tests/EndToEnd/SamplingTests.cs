using LightTts.Tests.Pipeline.Fakes;
using LightTts.Tests.Support;

namespace LightTts.Tests.EndToEnd;

/// <summary>A request's own way to draw reaches the engine, alone and in company, for text that is there and text that arrives.</summary>
public sealed class SamplingTests
{
    private const string Text = "The garden looks lovely this morning.";

    [Fact]
    public async Task Without_chance_every_seed_says_the_same_and_beside_others_too()
    {
        var pipeline = await SharedPipeline.GetAsync();
        async Task<int[]> Tokens(long seed, SamplingOptions? sampling, bool fed = false)
        {
            var request = new SynthesisRequest { Text = Text, Seed = seed, FlowSteps = 1, Sampling = sampling };
            var chunks = await FakeEngine.Collect(fed ? pipeline.SynthesizeAsync(Words(), request) : pipeline.SynthesizeAsync(request));
            return [.. chunks.SelectMany(chunk => chunk.SpeechTokens.ToArray())];
        }
        SamplingOptions likeliest = new() { Temperature = 0 };
        var runs = await Task.WhenAll(Tokens(1, likeliest), Tokens(2, null), Tokens(3, likeliest), Tokens(4, null),
            Tokens(1, new() { TopK = 1, RepetitionWindow = 0 }), Tokens(5, new() { TopK = 1, RepetitionWindow = 0 }),
            Tokens(1, likeliest, fed: true), Tokens(2, likeliest, fed: true));
        Assert.Equal(runs[0], runs[2]);
        Assert.NotEqual(runs[1], runs[3]);
        Assert.Equal(runs[4], runs[5]);
        Assert.Equal(runs[6], runs[7]);
    }

    private static async IAsyncEnumerable<string> Words()
    {
        foreach (var word in Text.Split(' '))
        {
            await Task.Yield();
            yield return word + " ";
        }
    }
}
