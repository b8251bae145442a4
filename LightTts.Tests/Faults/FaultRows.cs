using LightTts.Tests.Pipeline;
using LightTts.Tests.Pipeline.Fakes;
using LightTts.Tests.Support;

namespace LightTts.Tests.Faults;

/// <summary>Faults, seeded, injected beside eight healthy requests. A tenth of the cases runs by default, all of them with LIGHTTTS_FULL=1.</summary>
/// <remarks>After every row: nothing hangs, the peers' samples are the same as without
/// the fault, all counters are back at zero, a fresh request is served, no
/// exception of a task went unobserved, and the log has exactly one end for each request.</remarks>
public abstract class FaultRows
{
    private protected abstract Task<FaultTarget> Create(TtsPipelineOptions? options = null);

    /// <summary>Cases of a row of so many.</summary>
    private protected virtual int Sample(int cases) => FullRun.Pick(Math.Max(1, cases / 10), cases);

    private protected async Task BesidePeers(FaultTarget target, int cases, Func<Random, int, Task> fault)
    {
        using var unobserved = new UnobservedExceptions();
        var peers = await Peers.StartAsync(target);
        for (var i = 0; i < Sample(cases); i++)
            await target.InTime($"case {i}", fault(new Random(1000 + i), i));
        await peers.StopAsync();
        await target.AssertIdle();
        await peers.AssertServed();
        await target.AssertIdle();
        unobserved.AssertNone();
        target.Log.AssertOneEndEach();
    }

    private static IAsyncEnumerable<AudioChunk> SpeakAny(FaultTarget target, Random random, CancellationToken token = default)
    {
        var request = new SynthesisRequest { Text = target.Story, Seed = random.Next(), Delivery = random.Next(2) == 0 ? AudioDelivery.Whole
            : AudioDelivery.Streaming };
        return target.Speak(request, random.Next(3) == 0 ? SynthesisEngineTests.Pieces(target.Story[..20], target.Story[20..]) : null, token);
    }

    [Fact]
    public async Task Row_1_cancelled_at_any_moment()
    {
        await using var target = await Create();
        await BesidePeers(target, 1000, async (random, i) =>
        {
            using var cancel = new CancellationTokenSource();
            var chunk = random.Next(4);
            if (i % 4 == 0)
                target.Later(random, cancel.Cancel);
            else if (i % 4 == 1)
                _ = Task.Run(cancel.Cancel);
            else if (i % 4 == 2 && chunk == 0)
                cancel.Cancel();
            try
            {
                await foreach (var _ in SpeakAny(target, random, cancel.Token))
                    if (i % 4 > 1 && chunk-- == 0)
                        cancel.Cancel();
            }
            catch (OperationCanceledException e)
            {
                Assert.Equal(cancel.Token, e.CancellationToken);
            }
        });
    }

    [Fact]
    public async Task Row_2_cancelled_twice_after_the_end_or_left_in_the_middle()
    {
        await using var target = await Create();
        await BesidePeers(target, 200, async (random, i) =>
        {
            using var cancel = new CancellationTokenSource();
            switch (i % 4)
            {
                case 0:
                    Assert.NotEmpty(await FakeEngine.Collect(SpeakAny(target, random, cancel.Token)));
                    cancel.Cancel();
                    cancel.Cancel();
                    break;
                case 1:
                    target.Later(random, () => { cancel.Cancel(); cancel.Cancel(); });
                    try
                    {
                        await foreach (var _ in SpeakAny(target, random, cancel.Token))
                            break;
                    }
                    catch (OperationCanceledException e)
                    {
                        Assert.Equal(cancel.Token, e.CancellationToken);
                    }
                    break;
                case 2:
                    var chunks = SpeakAny(target, random);
                    var both = await Task.WhenAll(FakeEngine.Collect(chunks), FakeEngine.Collect(chunks));
                    Assert.Equal(FakeEngine.Join(both[0]).Length > 0, FakeEngine.Join(both[1]).Length > 0);
                    break;
                default:
                    var enumerator = SpeakAny(target, random, cancel.Token).GetAsyncEnumerator();
                    Assert.True(await enumerator.MoveNextAsync());
                    await enumerator.DisposeAsync();
                    await enumerator.DisposeAsync();
                    Assert.False(await enumerator.MoveNextAsync());
                    break;
            }
        });
    }

    [Fact]
    public async Task Row_4_a_reader_that_does_not_read_holds_back_only_itself()
    {
        await using var target = await Create(new TtsPipelineOptions { MaxBufferedAudio = TimeSpan.FromSeconds(0.5) });
        await BesidePeers(target, 20, async (random, i) =>
        {
            var slow = target.Speak(new SynthesisRequest { Text = string.Concat(Enumerable.Repeat(target.Story + " ", 20)),
                Seed = i }).GetAsyncEnumerator();
            Assert.True(await slow.MoveNextAsync());
            for (var round = 0; round < 2; round++)
                Assert.NotEmpty(await FakeEngine.Collect(SpeakAny(target, random)));
            await slow.DisposeAsync();
        });
    }

    [Fact]
    public async Task Row_5_a_missed_deadline_is_a_typed_error()
    {
        await using var target = await Create();
        await BesidePeers(target, 50, async (random, i) =>
        {
            var limit = TimeSpan.FromMilliseconds(20 + random.Next(60));
            var request = new SynthesisRequest { Text = string.Concat(Enumerable.Repeat(target.Story + " ", 8_000)), Seed = i, Timeout = limit,
                Delivery = (AudioDelivery)(i % 2) };
            var error = await Assert.ThrowsAsync<TtsTimeoutException>(() => FakeEngine.Collect(target.Speak(request)));
            Assert.Equal(limit, error.Limit);
        });
    }

    [Fact]
    public async Task Row_15_the_same_seed_is_the_same_voice_alone_in_a_batch_and_beside_cancellations()
    {
        await using var target = await Create();
        var modes = new[] { AudioDelivery.Streaming, AudioDelivery.Whole };
        await BesidePeers(target, 20, async (random, i) =>
        {
            var request = new SynthesisRequest { Text = target.Story, Seed = i, Delivery = modes[i % 2] };
            var first = await target.Render(request);
            var batch = Enumerable.Range(0, 8).Select(_ => target.Render(request)).ToArray();
            using var cancel = new CancellationTokenSource();
            target.Later(random, cancel.Cancel);
            try
            {
                await FakeEngine.Collect(SpeakAny(target, random, cancel.Token));
            }
            catch (OperationCanceledException)
            {
            }
            foreach (var render in batch)
                target.AssertSame(first, await render);
        });
    }

    [Fact]
    public async Task Text_sources_that_misbehave()
    {
        await using var target = await Create(new TtsPipelineOptions { TextIdleTimeout = TimeSpan.FromMilliseconds(200) });
        await BesidePeers(target, 10 * TextSources.Kinds.Length, async (random, i) =>
        {
            var kind = TextSources.Kinds[i % TextSources.Kinds.Length];
            using var cancel = new CancellationTokenSource();
            if (kind == "words for ever")
                target.Later(random, cancel.Cancel);
            try
            {
                var source = TextSources.Create(kind, target.Story);
                var request = new SynthesisRequest { Seed = i, Delivery = (AudioDelivery)(i % 2), MaxSpeechTokens = i % 3 == 0 ? 7 : null };
                await FakeEngine.Collect(target.Speak(request, source, cancel.Token));
                Assert.Equal("null pieces", kind);
            }
            catch (Exception e) when (e is TtsRequestException or TtsTimeoutException
                || (e is OperationCanceledException && kind == "words for ever"))
            {
            }
        });
    }

    [Fact]
    public async Task Row_42_the_wall_clock_jumps()
    {
        var clock = new JumpingClock();
        await using var target =
            await Create(new TtsPipelineOptions { RequestTimeout = TimeSpan.FromMinutes(10), TextIdleTimeout = TimeSpan.FromMinutes(10) }, clock);
        await BesidePeers(target, 40, async (random, i) =>
        {
            var running = FakeEngine.Collect(SpeakAny(target, random));
            clock.Jump(TimeSpan.FromHours(i % 2 == 0 ? 1 : -1));
            Assert.NotEmpty(await running);
        });
    }

    [Fact]
    public async Task Row_45_garbage_collections_all_the_time()
    {
        await using var target = await Create();
        using var done = new CancellationTokenSource();
        var collector = Task.Run(async () =>
        {
            while (!done.IsCancellationRequested)
            {
                GC.Collect(2, GCCollectionMode.Forced, blocking: true);
                GC.WaitForPendingFinalizers();
                await Task.Delay(5);
            }
        });
        await BesidePeers(target, 100, async (random, _) => Assert.NotEmpty(await FakeEngine.Collect(SpeakAny(target, random))));
        done.Cancel();
        await collector;
    }

    [Fact]
    public async Task Row_39_disposed_at_any_moment()
    {
        using var unobserved = new UnobservedExceptions();
        for (var i = 0; i < Sample(DisposalCases); i++)
        {
            var random = new Random(i);
            var target = await Create();
            var disposed = new TaskCompletionSource<Task>(TaskCreationOptions.RunContinuationsAsynchronously);
            target.Later(random, () => disposed.TrySetResult(target.DisposeAsync().AsTask()));
            var requests = Enumerable.Range(0, 8).Select(_ => FakeEngine.Collect(SpeakAny(target, random))).ToArray();
            try
            {
                await Task.WhenAll(requests).WaitAsync(target.Limit);
            }
            catch (ObjectDisposedException)
            {
            }
            disposed.TrySetResult(target.DisposeAsync().AsTask());
            await (await disposed.Task).WaitAsync(target.Limit);
            await target.DisposeAsync();
            foreach (var request in requests.Where(request => !request.IsCompletedSuccessfully))
                await Assert.ThrowsAsync<ObjectDisposedException>(() => request);
            await Assert.ThrowsAsync<ObjectDisposedException>(() => FakeEngine.Collect(SpeakAny(target, random)));
            Assert.True(target.IsIdle, $"not idle: {target.Status}");
            target.Log.AssertOneEndEach();
        }
        unobserved.AssertNone();
    }

    private protected virtual int DisposalCases => 100;

    private protected virtual Task<FaultTarget> Create(TtsPipelineOptions? options, TimeProvider clock) => Create(options);

    /// <summary>A clock whose time of day jumps while its timestamps and timers go on evenly.</summary>
    private sealed class JumpingClock : TimeProvider
    {
        private long _offset;

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + TimeSpan.FromTicks(Interlocked.Read(ref _offset));

        public void Jump(TimeSpan by) => Interlocked.Add(ref _offset, by.Ticks);
    }
}
