using LightTts.Tests.Pipeline;
using LightTts.Tests.Pipeline.Fakes;
using LightTts.Tests.Support;

namespace LightTts.Tests.Faults;

/// <summary>Everything at once: 500 requests of all kinds with random ends, and exceptions out of every stage.</summary>
[Collection(FaultCollection.Name)]
public class StressTests
{
    [Theory]
    [InlineData(1, false)]
    [InlineData(2, false)]
    [InlineData(3, false)]
    [InlineData(4, true)]
    [InlineData(5, true)]
    public async Task Five_hundred_requests_and_nothing_hangs_or_stays(int seed, bool goesAhead)
    {
        await using var target = new FakeTarget(Options(), blocks: 96, goesAhead: goesAhead);
        await Stress(target, seed, 500, 400);
    }

    /// <summary>Five hundred with LIGHTTTS_FULL=1.</summary>
    [Fact]
    public async Task Real_models_too()
    {
        await using var target = await RealTarget.LoadAsync(Options());
        await Stress(target, 4, FullRun.Pick(60, 500), FullRun.Pick(60, 100));
    }

    /// <summary>The other generation, whose flow and vocoder carry other things from chunk to chunk.</summary>
    [Fact]
    public async Task CosyVoice2_too()
    {
        var options = Options();
        options.ModelPath = Repo.Golden("main/models/cosyvoice2-tiny");
        await using var target = await RealTarget.LoadAsync(options);
        await Stress(target, 5, FullRun.Pick(100, 500), FullRun.Pick(60, 100));
    }

    /// <summary>Both generations in one process, one of them with three language models, of which one comes and goes.</summary>
    [Fact]
    public async Task Both_generations_and_three_styles_together()
    {
        var (third, second) = (Options(), Options());
        (third.ModelPath, second.ModelPath) = (Repo.Golden("main/models/cosyvoice3-tiny"), Repo.Golden("main/models/cosyvoice2-tiny"));
        await using var three = await RealTarget.LoadAsync(third);
        await using var two = await RealTarget.LoadAsync(second);
        var weights = Path.Combine(third.ModelPath, "llm.pt");
        await three.Pipeline.AddStyleAsync("calm", weights);
        await three.Pipeline.AddStyleAsync("passing", weights);
        three.Styles = [null, "calm", "passing"];
        using var done = new CancellationTokenSource();
        var changes = Task.Run(async () =>
        {
            while (!done.IsCancellationRequested)
            {
                Assert.True(await three.Pipeline.RemoveStyleAsync("passing"));
                await three.Pipeline.AddStyleAsync("passing", weights);
            }
        });
        await Task.WhenAll(Stress(three, 6, FullRun.Pick(100, 500), FullRun.Pick(60, 100)),
            Stress(two, 7, FullRun.Pick(100, 500), FullRun.Pick(60, 100)));
        done.Cancel();
        await three.InTime("a style that comes and goes", changes);
        Assert.Equal(["cosyvoice", "calm", "passing"], three.Pipeline.Styles);
        Assert.Equal(await three.Render(new SynthesisRequest { Text = three.Story, Seed = 1 }),
            await three.Render(new SynthesisRequest { Text = three.Story, Seed = 1, Style = "passing" }));
    }

    internal static TtsPipelineOptions Options() =>
        new() { MaxActiveRequests = 48, MaxBufferedAudio = TimeSpan.FromSeconds(1), TextIdleTimeout = TimeSpan.FromMilliseconds(200) };

    /// <summary>Requests of all kinds, forty at once, with an exception in one of so many calls of a model.</summary>
    internal static async Task Stress(FaultTarget target, int seed, int requests, int callsToFault)
    {
        using var unobserved = new UnobservedExceptions();
        var faults = new Random(seed);
        target.OnModelCall = () =>
        {
            lock (faults)
                if (faults.Next(callsToFault) == 0)
                    throw new InvalidOperationException("injected");
        };
        using var running = new SemaphoreSlim(40);
        var outcomes = new System.Collections.Concurrent.ConcurrentDictionary<string, int>();
        await Task.WhenAll(Enumerable.Range(0, requests).Select(async i =>
        {
            await running.WaitAsync();
            var one = Task.Run(() => OneAsync(target, new Random(seed * 1000 + i)));
            await target.InTime($"request {i}", one);
            outcomes.AddOrUpdate(await one, 1, (_, count) => count + 1);
            running.Release();
        }));
        target.OnModelCall = null;
        await target.AssertIdle();
        // it was a test of something: requests were served, cancelled, left and failed
        Assert.All(["done", "cancelled", "left", "consumer failed", nameof(TtsSynthesisException)], outcome =>
            Assert.True(outcomes.ContainsKey(outcome), $"{outcome}: {string.Join(", ", outcomes)}"));
        Assert.NotEmpty(await target.Render(new SynthesisRequest { Text = target.Story }));
        await target.AssertIdle();
        unobserved.AssertNone();
        target.Log.AssertOneEndEach();
    }

    private static async Task<string> OneAsync(FaultTarget target, Random random)
    {
        using var cancel = new CancellationTokenSource();
        var text = string.Concat(Enumerable.Repeat(target.Story + " ", random.Next(1, 4)));
        var source = random.Next(6) switch
        {
            0 => TextSources.Create(TextSources.Kinds[random.Next(TextSources.Kinds.Length)], text),
            1 or 2 => SynthesisEngineTests.Pieces(text.Chunk(random.Next(1, 30)).Select(piece => new string(piece)).ToArray()),
            _ => null,
        };
        var request = new SynthesisRequest
        {
            Text = text,
            Seed = random.Next(10) == 0 ? FakeWorld.EndlessSeed : random.Next(),
            Delivery = (AudioDelivery)random.Next(2),
            Style = target.Styles[random.Next(target.Styles.Length)],
            MaxSpeechTokens = random.Next(4) == 0 ? random.Next(1, 60) : null,
            Timeout = TimeSpan.FromSeconds(random.Next(8) == 0 ? 0.05 : target.Limit.TotalSeconds / 2),
        };
        var end = random.Next(5);
        var chunks = random.Next(3);
        var slow = random.Next(8) == 0;
        if (end == 0)
            cancel.CancelAfter(random.Next(40));
        try
        {
            var conversion = new ConversionRequest { Delivery = request.Delivery, Timeout = request.Timeout };
            var audio = random.Next(6) == 0 ? target.Convert(random.Next(2) == 0, conversion, cancel.Token)
                : target.Speak(request, source, cancel.Token);
            await foreach (var _ in audio)
            {
                if (slow)
                    await Task.Delay(1);
                if (chunks-- > 0)
                    continue;
                if (end == 1)
                    return "left";
                if (end == 2)
                    cancel.Cancel();
                if (end == 3)
                    throw new ConsumerException();
            }
            return "done";
        }
        catch (ConsumerException)
        {
            return "consumer failed";
        }
        catch (OperationCanceledException)
        {
            return "cancelled";
        }
        catch (TtsException e)
        {
            return e.GetType().Name; // anything else that a request ends with fails the test
        }
    }

    /// <summary>Thrown by who reads the audio, so that it cannot be taken for anything that the pipeline or a text source threw.</summary>
    private sealed class ConsumerException : Exception;
}
