using LightTts.Models;
using LightTts.Pipeline;
using LightTts.Tests.Pipeline.Fakes;
using Microsoft.Extensions.Logging.Abstractions;

namespace LightTts.Tests.Pipeline;

/// <summary>Two made-up generations of models, each with three styles, through the same stages: the pipeline knows neither.</summary>
public sealed class GenerationTests
{
    private const string Story = "one two three four. five six seven. eight nine ten eleven twelve.";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    // The second one's ids, turns and silence are others.
    private static readonly SpeechVocabulary Other = new(50, 53, ~52, ~51, 50, 51, 50, 52, 50, 3, 9, new HashSet<int> { 7 });

    public static TheoryData<int, string> All() =>
        new(from generation in new[] { 1, 2 } from style in new[] { "a", "b", "c" } select (generation, style));

    [Theory]
    [MemberData(nameof(All))]
    public async Task Streamed_is_whole_and_company_changes_nothing(int generation, string style)
    {
        await using var engine = Create(generation, out var world);
        var whole = await Speak(engine, style, AudioDelivery.Whole);
        Assert.NotEmpty(whole);
        Assert.Equal(whole, await Speak(engine, style, AudioDelivery.Streaming));
        var company = await Task.WhenAll(Enumerable.Range(0, 12).Select(i =>
            Speak(engine, "abc"[i % 3].ToString(), i % 2 == 0 ? AudioDelivery.Whole : AudioDelivery.Streaming)));
        Assert.All(company.Index().Where(spoken => "abc"[spoken.Index % 3].ToString() == style), spoken => Assert.Equal(whole, spoken.Item));
        await Idle(engine, world);
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task Text_in_pieces_is_spoken_wherever_it_is_cut(int generation, string style)
    {
        await using var engine = Create(generation, out var world);
        var spoken = new List<float[]>();
        foreach (var size in new[] { 1, 3, 1000 })
            spoken.Add(FakeEngine.Join(await FakeEngine.Collect(engine.RunAsync(new SynthesisRequest { Seed = 5, Style = style }, FakeEngine.Voice, 5,
                Pieces(size), default)).WaitAsync(Limit)));
        Assert.NotEmpty(spoken[0]);
        Assert.All(spoken, audio => Assert.Equal(spoken[0], audio));
        await Idle(engine, world);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Leaving_early_frees_everything(int generation)
    {
        await using (var engine = Create(generation, out var world))
        {
            for (var i = 0; i < 20; i++)
                await foreach (var _ in engine.RunAsync(Request("abc"[i % 3].ToString(), AudioDelivery.Streaming), FakeEngine.Voice, 5, null,
                default))
                    break;
            await Idle(engine, world);
        }
    }

    [Theory]
    [InlineData("warm-up encode")]
    [InlineData("warm-up language")]
    [InlineData("warm-up decode")]
    public async Task A_model_that_cannot_warm_up_fails_the_start_and_all_are_freed(string call)
    {
        var world = new FakeWorld { OnCall = name => _ = name == call ? throw new InvalidOperationException("no kernel image") : 0 };
        await using var engine = Create(2, world);
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => engine.StartedAsync().WaitAsync(Limit));
        Assert.Contains("no kernel image", error.Message, StringComparison.Ordinal);
        await engine.DisposeAsync().AsTask().WaitAsync(Limit);
        Assert.Equal(4, world.ModelsDisposed); // three language models and the decoder
    }

    private static SynthesisEngine Create(int generation, out FakeWorld world) => Create(generation, world = new FakeWorld());

    private static SynthesisEngine Create(int generation, FakeWorld world)
    {
        var vocabulary = generation == 1 ? null : Other;
        StyleModel[] styles = [.. "abc".Select((name, i) =>
            new StyleModel(name.ToString(), new FakeLanguageModel(world, accent: 11 * (ulong)i, vocabulary: vocabulary)))];
        return new SynthesisEngine("fake", new ModelParts(new FakeEncoder(world), styles,
            generation == 1 ? new FakeDecoder(world) : new PastlessDecoder(world)), new TtsPipelineOptions(), TimeProvider.System,
            NullLogger.Instance);
    }

    private static SynthesisRequest Request(string style, AudioDelivery delivery) =>
        new() { Text = Story, Seed = 4, Style = style, Delivery = delivery };

    private static async Task<float[]> Speak(SynthesisEngine engine, string style, AudioDelivery delivery) => FakeEngine.Join(
        await FakeEngine.Collect(engine.RunAsync(Request(style, delivery), FakeEngine.Voice, 5, null, default)).WaitAsync(Limit));

    private static async IAsyncEnumerable<string> Pieces(int size)
    {
        foreach (var piece in Story.Chunk(size))
        {
            await Task.Yield();
            yield return new string(piece);
        }
    }

    private static async Task Idle(SynthesisEngine engine, FakeWorld world)
    {
        for (var i = 0; engine.Status() is not { ActiveRequests: 0, KvBlocksInUse: 0, LanguageSequences: 0, DecodeUtterances: 0 }
            || world is not { LanguageStates: 0, DecodeStates: 0, OpenPasses: 0 }; i++)
        {
            Assert.True(i < 10_000, $"not idle: {engine.Status()}");
            await Task.Delay(1);
        }
    }
}
