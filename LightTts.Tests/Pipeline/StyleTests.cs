using LightTts.Models;
using LightTts.Pipeline;
using LightTts.Tests.Extensions.Fakes;
using LightTts.Tests.Pipeline.Fakes;
using Microsoft.Extensions.Logging.Abstractions;

namespace LightTts.Tests.Pipeline;

/// <summary>Several language models over one decoder: each request speaks in its own, models come and go while others speak.</summary>
public sealed class StyleTests
{
    private const string Story = "one two three four. five six seven. eight nine.";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Each_request_speaks_in_its_style_alone_and_in_company()
    {
        await using var target = new Target();
        var alone = new Dictionary<string, float[]>();
        foreach (var style in target.Engine.Styles.Names)
            alone[style] = await target.SpeakAsync(style);
        Assert.Equal(["calm", "angry", "happy"], target.Engine.Styles.Names.Order().OrderBy(style => style == "calm" ? 0 : 1));
        Assert.NotEqual(alone["calm"], alone["angry"]);
        Assert.NotEqual(alone["angry"], alone["happy"]);
        Assert.Equal(alone["calm"], await target.SpeakAsync(null));
        var together = await Task.WhenAll(Enumerable.Range(0, 24).Select(i => target.SpeakAsync(target.Engine.Styles.Names[i % 3])));
        for (var i = 0; i < together.Length; i++)
            Assert.Equal(alone[target.Engine.Styles.Names[i % 3]], together[i]);
        Assert.True(target.World.MaxRowsSeen > 1, "the requests of a style shared no step");
        await target.AssertIdleAsync();
    }

    [Fact]
    public async Task A_style_that_there_is_not_is_refused_by_name()
    {
        await using var target = new Target();
        var error = await Assert.ThrowsAsync<TtsRequestException>(() => target.SpeakAsync("sad"));
        Assert.Contains("'sad'", error.Message, StringComparison.Ordinal);
        Assert.Contains("calm, angry, happy", error.Message, StringComparison.Ordinal);
        Assert.Equal(0, target.Engine.Status().ActiveRequests);
    }

    [Fact]
    public async Task A_style_joins_and_leaves_while_others_speak()
    {
        await using var target = new Target();
        using var stop = new CancellationTokenSource();
        var expected = await target.SpeakAsync("calm");
        var others = Enumerable.Range(0, 4).Select(async _ =>
        {
            var count = 0;
            for (; !stop.IsCancellationRequested; count++)
                Assert.Equal(expected, await target.SpeakAsync("calm"));
            return count;
        }).ToArray();
        for (var i = 0; i < 20; i++)
        {
            await target.Engine.Styles.AddAsync("sad", new FakeLanguageModel(target.World, accent: 7));
            var spoken = await target.SpeakAsync("sad");
            Assert.NotEqual(expected, spoken);
            Assert.True(await target.Engine.Styles.RemoveAsync("sad", default).WaitAsync(Limit));
            Assert.DoesNotContain("sad", target.Engine.Styles.Names);
        }
        await stop.CancelAsync();
        Assert.All(await Task.WhenAll(others), count => Assert.True(count > 0));
        Assert.Equal(20, target.World.ModelsDisposed);
        await target.AssertIdleAsync();
    }

    [Fact]
    public async Task A_style_leaves_when_its_requests_are_done_and_takes_no_new_ones()
    {
        await using var target = new Target();
        using var brake = new Brake(target.World, "decode", 1);
        var running = target.SpeakAsync("angry");
        await brake.Held.WaitAsync(Limit);
        var removal = target.Engine.Styles.RemoveAsync("angry", default);
        await Assert.ThrowsAsync<TtsRequestException>(() => target.SpeakAsync("angry"));
        Assert.False(removal.IsCompleted);
        Assert.False(await target.Engine.Styles.RemoveAsync("angry", default)); // somebody does already
        brake.Release();
        Assert.NotEmpty(await running);
        Assert.True(await removal.WaitAsync(Limit));
        Assert.Equal(1, target.World.ModelsDisposed);
    }

    [Fact]
    public async Task A_removal_that_is_given_up_changes_nothing()
    {
        await using var target = new Target();
        var expected = await target.SpeakAsync("angry");
        using var brake = new Brake(target.World, "decode", 1);
        var running = target.SpeakAsync("angry");
        await brake.Held.WaitAsync(Limit);
        using var cancel = new CancellationTokenSource();
        var removal = target.Engine.Styles.RemoveAsync("angry", cancel.Token);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => removal.WaitAsync(Limit));
        brake.Release();
        Assert.Equal(expected, await running);
        Assert.Equal(expected, await target.SpeakAsync("angry"));
    }

    [Fact]
    public async Task A_step_that_fails_costs_the_other_styles_nothing()
    {
        await using var target = new Target();
        var expected = await target.SpeakAsync("calm");
        target.World.Poisoned = "step";
        var bad = FakeEngine.Collect(target.Engine.RunAsync(
            new SynthesisRequest { Text = Story, Seed = FakeWorld.PoisonSeed, Style = "happy" }, FakeEngine.Voice, 5, null, default));
        var good = target.SpeakAsync("calm");
        await Assert.ThrowsAsync<TtsSynthesisException>(() => bad);
        Assert.Equal(expected, await good);
        Assert.NotEmpty(await target.SpeakAsync("happy"));
        await target.AssertIdleAsync();
    }

    [Fact]
    public async Task A_style_whose_warm_up_fails_is_not_added()
    {
        await using var target = new Target();
        var model = new FakeLanguageModel(target.World);
        target.World.OnCall = name => _ = name == "warm-up language" ? throw new InvalidOperationException("no memory") : 0;
        await Assert.ThrowsAsync<InvalidOperationException>(() => target.Engine.Styles.AddAsync("sad", model));
        Assert.DoesNotContain("sad", target.Engine.Styles.Names);
        Assert.Equal(1, target.World.ModelsDisposed);
        Assert.NotEmpty(await target.SpeakAsync("calm"));
        await Assert.ThrowsAsync<ArgumentException>(() => target.Engine.Styles.AddAsync("calm", new FakeLanguageModel(target.World)));
        Assert.Equal(2, target.World.ModelsDisposed);
    }

    private sealed class Target : IAsyncDisposable
    {
        public Target() => Engine = new SynthesisEngine("fake", new ModelParts(new FakeEncoder(World),
        [
            new StyleModel("calm", new FakeLanguageModel(World)),
            new StyleModel("angry", new FakeLanguageModel(World, accent: 20)),
            new StyleModel("happy", new FakeLanguageModel(World, accent: 40)),
        ], new FakeDecoder(World)), new TtsPipelineOptions(), TimeProvider.System, NullLogger.Instance);

        public FakeWorld World { get; } = new();

        public SynthesisEngine Engine { get; }

        public async Task<float[]> SpeakAsync(string? style) => FakeEngine.Join(await FakeEngine.Collect(
            Engine.RunAsync(new SynthesisRequest { Text = Story, Seed = 3, Style = style }, FakeEngine.Voice, 5, null, default)).WaitAsync(Limit));

        public async Task AssertIdleAsync()
        {
            for (var i = 0; Engine.Status() is not { ActiveRequests: 0, KvBlocksInUse: 0, LanguageSequences: 0, DecodeUtterances: 0 }; i++)
            {
                Assert.True(i < 10_000, $"not idle: {Engine.Status()}");
                await Task.Delay(1);
            }
        }

        public ValueTask DisposeAsync() => Engine.DisposeAsync();
    }
}
