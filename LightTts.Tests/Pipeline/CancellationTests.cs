using LightTts.Tests.Pipeline.Fakes;

namespace LightTts.Tests.Pipeline;

public class CancellationTests
{
    private const string Story = "one two three four. five six seven eight nine ten. eleven twelve.";

    [Fact]
    public async Task A_cancelled_token_ends_the_enumeration_with_it()
    {
        await using var engine = new FakeEngine();
        using var cancel = new CancellationTokenSource();
        var error = await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var chunk in engine.Speak(new SynthesisRequest { Text = Story }, cancel.Token))
                cancel.Cancel();
        });
        Assert.Equal(cancel.Token, error.CancellationToken);
        await engine.AssertIdle();
    }

    [Fact]
    public async Task Leaving_the_loop_frees_everything()
    {
        await using var engine = new FakeEngine();
        await foreach (var chunk in engine.Speak(new SynthesisRequest { Text = Story }))
            break;
        await engine.AssertIdle();
    }

    [Fact]
    public async Task An_enumerable_that_is_never_enumerated_holds_nothing()
    {
        await using var engine = new FakeEngine(new TtsPipelineOptions { MaxActiveRequests = 1 });
        _ = engine.Speak(new SynthesisRequest { Text = Story });
        Assert.NotEmpty(await FakeEngine.Collect(engine.Speak(new SynthesisRequest { Text = Story })));
    }

    [Fact]
    public async Task Two_enumerations_are_two_requests()
    {
        await using var engine = new FakeEngine();
        var chunks = engine.Speak(new SynthesisRequest { Text = Story, Seed = 5 });
        var both = await Task.WhenAll(FakeEngine.Collect(chunks), FakeEngine.Collect(chunks));
        Assert.Equal(FakeEngine.Join(both[0]), FakeEngine.Join(both[1]));
    }

    [Fact]
    public async Task A_full_queue_refuses_with_its_limit_and_recovers()
    {
        await using var engine = new FakeEngine(new TtsPipelineOptions { MaxActiveRequests = 2 });
        using var hold = new ManualResetEventSlim();
        engine.World.OnCall = _ => hold.Wait();
        var running = Enumerable.Range(0, 2).Select(_ => FakeEngine.Collect(engine.Speak(new SynthesisRequest { Text = Story }))).ToArray();
        var error = await Assert.ThrowsAsync<TtsQueueFullException>(() => FakeEngine.Collect(engine.Speak(new SynthesisRequest { Text = Story })));
        Assert.Equal(2, error.Limit);
        hold.Set();
        await Task.WhenAll(running);
        Assert.NotEmpty(await FakeEngine.Collect(engine.Speak(new SynthesisRequest { Text = Story })));
        await engine.AssertIdle();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_deadline_that_is_missed_is_named(bool first)
    {
        await using var engine = new FakeEngine();
        using var hold = new ManualResetEventSlim();
        engine.World.OnCall = _ => hold.Wait();
        var limit = TimeSpan.FromMilliseconds(30);
        var request = new SynthesisRequest { Text = Story, FirstAudioTimeout = first ? limit : null, Timeout = first ? null : limit };
        var error = await Assert.ThrowsAsync<TtsTimeoutException>(() => FakeEngine.Collect(engine.Speak(request)));
        Assert.Equal(limit, error.Limit);
        hold.Set();
        await engine.AssertIdle();
    }

    [Fact]
    public async Task Disposing_while_requests_run_ends_them_and_a_second_time_is_harmless()
    {
        var engine = new FakeEngine();
        using var hold = new ManualResetEventSlim();
        engine.World.OnCall = name =>
        {
            if (name == "decode")
                hold.Wait();
        };
        var running = Enumerable.Range(0, 8).Select(_ => FakeEngine.Collect(engine.Speak(new SynthesisRequest { Text = Story }))).ToArray();
        var disposal = engine.DisposeAsync().AsTask();
        hold.Set();
        await disposal;
        await engine.DisposeAsync();
        foreach (var task in running)
            await Assert.ThrowsAnyAsync<ObjectDisposedException>(() => task);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => FakeEngine.Collect(engine.Speak(new SynthesisRequest { Text = Story })));
        Assert.Equal((0, 0, 0), (engine.World.LanguageStates, engine.World.DecodeStates, engine.Engine.Status().KvBlocksInUse));
    }

    [Fact]
    public async Task Draining_lets_requests_finish_and_refuses_new_ones()
    {
        await using var engine = new FakeEngine();
        var request = engine.Speak(new SynthesisRequest { Text = Story }).GetAsyncEnumerator();
        Assert.True(await request.MoveNextAsync());
        var drain = engine.Engine.DrainAsync(TimeSpan.FromSeconds(30), default);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => FakeEngine.Collect(engine.Speak(new SynthesisRequest { Text = Story })));
        while (await request.MoveNextAsync())
        {
        }
        await request.DisposeAsync();
        Assert.True(await drain);
    }

    [Theory]
    [InlineData(AudioDelivery.Streaming)]
    [InlineData(AudioDelivery.Whole)]
    public async Task What_waits_for_a_consumer_is_bounded(AudioDelivery mode)
    {
        // 0.1 s of audio at 100 Hz: ten samples may wait, and the pass that fills it up brings one sentence at the most
        await using var engine = new FakeEngine(new TtsPipelineOptions { MaxBufferedAudio = TimeSpan.FromSeconds(0.1) });
        var slow = engine.Speak(new SynthesisRequest { Text = string.Concat(Enumerable.Repeat("one two three. ", 200)), Delivery = mode,
            Seed = 2 }).GetAsyncEnumerator();
        Assert.True(await slow.MoveNextAsync());
        for (var quiet = 0; quiet < 20; quiet++)
        {
            await Task.Delay(1);
            if (engine.Engine.Status().Stages.Any(stage => stage.BusyFor > TimeSpan.Zero || stage.QueueLength > 0))
                quiet = 0;
        }
        const int sentence = 15 * FakeDecoder.Samples; // five text tokens with the prompt's, three sounds each
        Assert.InRange(Interlocked.Read(ref engine.World.Samples), 1, 2 * sentence + 10);
        await slow.DisposeAsync();
        await engine.AssertIdle();
    }

    [Fact]
    public async Task A_slow_consumer_pauses_its_own_request_only()
    {
        // 0.1 s of audio at 100 Hz: ten samples may wait
        await using var engine = new FakeEngine(new TtsPipelineOptions { MaxBufferedAudio = TimeSpan.FromSeconds(0.1) });
        var slow = engine.Speak(new SynthesisRequest { Text = string.Concat(Enumerable.Repeat("one two three. ", 200)),
            Seed = 2 }).GetAsyncEnumerator();
        Assert.True(await slow.MoveNextAsync());
        var samples = slow.Current.Samples.Length;
        for (var i = 0; i < 5; i++)
            Assert.NotEmpty(await FakeEngine.Collect(engine.Speak(new SynthesisRequest { Text = "one two three." })));
        Assert.True(engine.Engine.Status().LanguageSequences <= 3);
        while (await slow.MoveNextAsync())
            samples += slow.Current.Samples.Length;
        await slow.DisposeAsync();
        var fast = FakeEngine.Join(await FakeEngine.Collect(engine.Speak(new SynthesisRequest { Text =
            string.Concat(Enumerable.Repeat("one two three. ", 200)), Seed = 2 })));
        Assert.Equal(fast.Length, samples);
        await engine.AssertIdle();
    }
}
