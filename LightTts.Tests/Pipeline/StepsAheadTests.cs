using LightTts.Tests.Pipeline.Fakes;

namespace LightTts.Tests.Pipeline;

/// <summary>Steps that are launched before the ones before them are collected change nothing but the time.</summary>
public sealed class StepsAheadTests
{
    private const string Story =
        "one two three four five six seven eight nine ten eleven twelve. a bb ccc dddd eeeee ffffff ggggggg hhhhhhhh. one two.";

    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(1);

    public static TheoryData<int, int, bool> Crowds => new()
    {
        { 1, 64, false }, { 7, 64, false }, { 40, 256, false }, { 40, 256, true },
        { 40, 9, false }, // blocks for one or two: the others are fed again and again
    };

    [Theory]
    [MemberData(nameof(Crowds))]
    public async Task Everybody_hears_the_same(int listeners, int blocks, bool yields)
    {
        await using var plain = new FakeEngine(blocks: 256);
        await using var engine = new FakeEngine(blocks: blocks, yields: yields, goesAhead: true);
        await Task.WhenAll(Enumerable.Range(0, listeners).Select(async i =>
        {
            await Task.Delay(i % 7);
            Assert.Equal(await Audio(Speak(plain, i)), await Audio(Speak(engine, i)));
        })).WaitAsync(Limit);
        Assert.True(engine.World.StepsAhead > engine.World.Steps / 4, $"{engine.World.StepsAhead} of {engine.World.Steps} steps went ahead");
        await engine.AssertIdle();
    }

    [Fact]
    public async Task Alone_nearly_every_step_is_launched_before_the_last_one_is_collected()
    {
        await using var engine = new FakeEngine(goesAhead: true);
        await Audio(Speak(engine, 0));
        await engine.AssertIdle();
        Assert.InRange(engine.World.StepsAhead, engine.World.Steps * 8 / 10, engine.World.Steps);
    }

    [Fact]
    public async Task Who_leaves_leaves_nothing_behind()
    {
        await using var engine = new FakeEngine(goesAhead: true);
        await Task.WhenAll(Enumerable.Range(0, 60).Select(async i =>
        {
            using var cancellation = new CancellationTokenSource();
            var request = new SynthesisRequest { Text = Story, Seed = i % 2 == 0 ? i : FakeWorld.EndlessSeed, MaxSpeechTokens = 10_000 };
            var left = 1 + i % 3;
            try
            {
                await foreach (var _ in engine.Speak(request, cancellation.Token))
                    if (--left == 0)
                        await cancellation.CancelAsync();
            }
            catch (OperationCanceledException)
            {
            }
        })).WaitAsync(Limit);
        await engine.AssertIdle();
        Assert.Equal(await AudioOfPlain(5), await Audio(Speak(engine, 5)));
    }

    [Theory]
    [InlineData("step")]
    [InlineData("collect")]
    [InlineData("row")]
    public async Task What_fails_for_one_fails_for_nobody_else(string call)
    {
        await using var engine = new FakeEngine(blocks: 256, goesAhead: true);
        engine.World.Poisoned = call;
        var crowd = Enumerable.Range(0, 16).Select(async i =>
        {
            var seed = i % 8 == 3 ? FakeWorld.PoisonSeed : i;
            if (seed != FakeWorld.PoisonSeed)
                Assert.Equal(await AudioOfPlain(seed), await Audio(Speak(engine, seed)));
            else
                await Assert.ThrowsAsync<TtsSynthesisException>(() => Audio(Speak(engine, seed)));
        });
        await Task.WhenAll(crowd).WaitAsync(Limit);
        await engine.AssertIdle();
    }

    [Theory]
    [InlineData("step")]
    [InlineData("collect")]
    public async Task A_step_that_fails_now_and_then_is_computed_again(string call)
    {
        await using var engine = new FakeEngine(blocks: 256, goesAhead: true);
        var calls = 0;
        engine.World.OnCall = name => _ = name == call && ++calls % 23 == 7 && engine.World.Rows > 1
            ? throw new InvalidOperationException("injected") : 0;
        await Task.WhenAll(Enumerable.Range(0, 12).Select(async i =>
        {
            try
            {
                Assert.Equal(await AudioOfPlain(i), await Audio(Speak(engine, i)));
            }
            catch (TtsSynthesisException)
            {
                // It was alone in the step that failed.
            }
        })).WaitAsync(Limit);
        await engine.AssertIdle();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Text_that_arrives_in_pieces_is_spoken_in_company_as_alone(bool asksForText)
    {
        await using var plain = new FakeEngine(blocks: 256);
        await using var engine = new FakeEngine(blocks: 256, goesAhead: true);
        plain.World.AsksForText = engine.World.AsksForText = asksForText;
        await Task.WhenAll(Enumerable.Range(0, 20).Select(async i =>
        {
            if (i % 2 == 0)
                Assert.Equal(await Audio(Speak(plain, i)), await Audio(Speak(engine, i)));
            else
                Assert.Equal(await Audio(plain.Speak(Pieces(), Request(i))), await Audio(engine.Speak(Pieces(), Request(i))));
        })).WaitAsync(Limit);
        Assert.True(engine.World.StepsAhead > engine.World.Steps / 4, $"{engine.World.StepsAhead} of {engine.World.Steps} steps went ahead");
        await engine.AssertIdle();
    }

    [Fact]
    public async Task A_sentence_that_is_drawn_again_begins_anew()
    {
        await using var plain = new FakeEngine();
        await using var engine = new FakeEngine(goesAhead: true);
        foreach (var seed in (int[])[FakeWorld.SilentSeed, 1, 2])
            Assert.Equal(await Audio(Speak(plain, seed)), await Audio(Speak(engine, seed)));
        await engine.AssertIdle();
    }

    private static async IAsyncEnumerable<string> Pieces()
    {
        foreach (var piece in Story.Chunk(9))
        {
            await Task.Delay(1);
            yield return new string(piece);
        }
    }

    private static SynthesisRequest Request(int seed) => new()
    {
        Text = Story, Seed = seed, Delivery = seed % 5 == 0 ? AudioDelivery.Whole : AudioDelivery.Streaming,
    };

    private static IAsyncEnumerable<AudioChunk> Speak(FakeEngine engine, int seed) => engine.Speak(Request(seed));

    private static async Task<float[]> Audio(IAsyncEnumerable<AudioChunk> chunks) => FakeEngine.Join(await FakeEngine.Collect(chunks));

    private static async Task<float[]> AudioOfPlain(int seed)
    {
        await using var engine = new FakeEngine(blocks: 256);
        return await Audio(Speak(engine, seed));
    }
}
