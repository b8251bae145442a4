using LightTts.Tests.Pipeline.Fakes;

namespace LightTts.Tests.Faults;

/// <summary>The fault rows over fake models, and those that need a model which fails on demand.</summary>
[Collection(FaultCollection.Name)]
public sealed class FakeFaultTests : FaultRows
{
    private protected override Task<FaultTarget> Create(TtsPipelineOptions? options = null) => Task.FromResult<FaultTarget>(new FakeTarget(options));

    private protected override Task<FaultTarget> Create(TtsPipelineOptions? options, TimeProvider clock) =>
        Task.FromResult<FaultTarget>(new FakeTarget(options, time: clock));

    private static SynthesisRequest Poison(string text, int i) => new()
    {
        Text = $"{text} {FakeWorld.PoisonText} four five six.",
        Seed = FakeWorld.PoisonSeed,
        FlowSteps = FakeWorld.PoisonSteps,
        Delivery = (AudioDelivery)(i % 2),
    };

    [Theory]
    [InlineData("prepare")]
    [InlineData("step")]
    [InlineData("row")]
    [InlineData("state")]
    [InlineData("decode")]
    [InlineData("nan")]
    public async Task Row_31_a_model_call_that_fails_for_one_request_fails_only_that_one(string call)
    {
        await using var target = new FakeTarget();
        target.World.Poisoned = call;
        await BesidePeers(target, 100, async (_, i) =>
            await Assert.ThrowsAsync<TtsSynthesisException>(() => FakeEngine.Collect(target.Speak(Poison("one two three", i)))));
    }

    [Fact]
    public async Task A_step_that_fails_once_costs_nobody_anything()
    {
        await using var target = new FakeTarget();
        await BesidePeers(target, 100, async (random, i) =>
        {
            var calls = random.Next(1, 40);
            target.World.OnCall = name =>
            {
                if (name == "step" && target.World.Rows > 1 && Interlocked.Decrement(ref calls) == 0)
                    throw new InvalidOperationException("once");
            };
            Assert.NotEmpty(await FakeEngine.Collect(target.Speak(new SynthesisRequest { Text = target.Story, Seed = i })));
        });
    }

    [Fact]
    public async Task Row_32_a_model_that_never_ends_is_stopped_and_one_that_ends_at_once_is_drawn_again()
    {
        await using var target = new FakeTarget();
        await BesidePeers(target, 100, async (random, i) =>
        {
            var limit = random.Next(1, 60); // beyond the sixty that three words may have, it would be drawn again
            var endless = await FakeEngine.Collect(target.Speak(new SynthesisRequest { Text = "one two three", Seed = FakeWorld.EndlessSeed,
            MaxSpeechTokens = limit, Delivery = (AudioDelivery)(i % 2) }));
            Assert.Equal(FinishReason.Length, endless[^1].FinishReason);
            Assert.Equal(limit, endless.Sum(chunk => chunk.SpeechTokens.Length));
            var silent = await FakeEngine.Collect(target.Speak(new SynthesisRequest { Text = "one two three", Seed = FakeWorld.SilentSeed,
                Delivery = (AudioDelivery)(i % 2) }));
            Assert.NotEmpty(FakeEngine.Join(silent));
            Assert.All(silent, chunk => Assert.Equal(1, chunk.Redraws));
        });
    }

    [Fact]
    public async Task Row_29_more_requests_than_the_cache_holds()
    {
        // each needs up to 66 positions: eight fit
        await using var roomy = new FakeTarget();
        await using var tight = new FakeTarget(blocks: 40, rows: 16);
        using var unobserved = new UnobservedExceptions();
        SynthesisRequest Request(int i) =>
            new() { Text = "one two three.", Seed = i % 2 == 0 ? FakeWorld.EndlessSeed : i, Delivery = (AudioDelivery)(i % 2) };
        for (var round = 0; round < Sample(50); round++)
        {
            var requests = Enumerable.Range(0, 64).Select(i => tight.Render(Request(i))).ToArray();
            await Task.WhenAll(requests).WaitAsync(tight.Limit);
            for (var i = 0; i < 64; i++)
                tight.AssertSame(await roomy.Render(Request(i)), await requests[i]);
            await tight.AssertIdle();
        }
        unobserved.AssertNone();
        tight.Log.AssertOneEndEach();
    }
}
