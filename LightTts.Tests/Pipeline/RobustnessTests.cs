using System.Diagnostics;
using LightTts.Diagnostics;
using LightTts.Models;
using LightTts.Pipeline;
using LightTts.Tests.Pipeline.Fakes;
using LightTts.Timbres;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace LightTts.Tests.Pipeline;

/// <summary>What surrounds the pipeline misbehaves: logs, listeners, sources, options.</summary>
public class RobustnessTests
{
    private const string Story = "one two three four. five six seven eight nine ten.";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    [Theory(Timeout = 20_000)]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(12)]
    public async Task Streamed_text_that_goes_on_after_its_speech_reached_the_limit_ends(int maxTokens)
    {
        await using var engine = new FakeEngine();
        var gate = new TaskCompletionSource();
        var request = new SynthesisRequest { Seed = FakeWorld.EndlessSeed, MaxSpeechTokens = maxTokens };
        var isLast = false;
        await foreach (var chunk in engine.Speak(TwoParts("one two three four five six seven eight nine ten eleven ", gate.Task, "and on. "), request,
            TestContext.Current.CancellationToken))
        {
            if (chunk.FinishReason is not null)
                gate.TrySetResult(); // the text ends only after the decode stage has passed the utterance
            isLast = chunk.IsLast;
        }
        Assert.True(isLast);
        await engine.AssertIdle();
    }

    [Fact]
    public async Task Streamed_text_without_a_sentence_end_is_cut_where_its_pieces_do_not_matter()
    {
        await using var engine = new FakeEngine(blocks: 1024);
        var words = Enumerable.Range(0, 700).Select(i => new string('a', 1 + i % 7) + " ").ToArray();
        var text = string.Concat(words);
        var request = new SynthesisRequest { Seed = 3, MaxSpeechTokens = 500 };
        var byWord = await FakeEngine.Collect(engine.Speak(SynthesisEngineTests.Pieces(words), request));
        // Where an utterance reached its limit before the source had ended, an empty one says that it was the last.
        Assert.Equal([0, 1, 2], byWord.Where(chunk => chunk.Samples.Length > 0).Select(chunk => chunk.SentenceIndex).Distinct());
        Assert.Equal(FakeEngine.Join(byWord), FakeEngine.Join(await FakeEngine.Collect(engine.Speak(SynthesisEngineTests.Pieces(text), request))));
        await engine.AssertIdle();
    }

    [Fact]
    public async Task A_log_that_throws_fails_nobody()
    {
        await using var engine = new FakeEngine(log: new ThrowingLogger());
        Assert.NotEmpty(await FakeEngine.Collect(engine.Speak(new SynthesisRequest { Text = Story })));
        engine.World.OnCall = _ => throw new InvalidOperationException("injected");
        await Assert.ThrowsAsync<TtsSynthesisException>(() => FakeEngine.Collect(engine.Speak(new SynthesisRequest { Text = Story })));
        engine.World.OnCall = null;
        Assert.NotEmpty(await FakeEngine.Collect(engine.Speak(new SynthesisRequest { Text = Story })));
        await engine.AssertIdle();
    }

    [Fact]
    public async Task A_stage_that_is_lost_fails_every_request_with_the_reason()
    {
        var world = new FakeWorld();
        var engine = new SynthesisEngine("fake",
            new ModelParts(new FakeEncoder(world), [new StyleModel("fake", new FakeLanguageModel(world))], new LostDecoder(world)),
            new TtsPipelineOptions(),
            TimeProvider.System, NullLogger.Instance);
        for (var i = 0; i < 3; i++)
        {
            var error = await Assert.ThrowsAsync<TtsSynthesisException>(() =>
                FakeEngine.Collect(engine.RunAsync(new SynthesisRequest { Text = Story }, FakeEngine.Voice, 5, null, default)).WaitAsync(Limit));
            Assert.IsType<InvalidOperationException>(error.InnerException);
        }
        Assert.Contains(engine.Status().Stages, stage => !stage.IsAlive);
        Assert.Equal(0, engine.Status().ActiveRequests);
        await engine.DisposeAsync().AsTask().WaitAsync(Limit);
    }

    [Fact]
    public async Task The_place_in_the_queue_is_free_when_the_consumer_sees_the_end()
    {
        // The log of the end comes before the place is given back: meanwhile the consumer must not see the end.
        using var consumerSawEnd = new ManualResetEventSlim();
        var sawEarly = false;
        await using var engine = new FakeEngine(new TtsPipelineOptions { MaxActiveRequests = 1 },
            log: new EndLogger(() => sawEarly |= consumerSawEnd.Wait(100)));
        Assert.NotEmpty(await FakeEngine.Collect(engine.Speak(new SynthesisRequest { Text = "one two." })));
        consumerSawEnd.Set();
        Assert.False(sawEarly);
        Assert.Equal(0, engine.Engine.Status().ActiveRequests);
    }

    [Fact]
    public async Task An_extraction_after_disposal_or_given_up_is_an_error_that_is_ours()
    {
        var engine = new FakeEngine();
        using var hold = new ManualResetEventSlim();
        engine.World.OnCall = _ => hold.Wait();
        using var cancel = new CancellationTokenSource();
        var clip = new AudioClip(new float[16000], 16000);
        var extraction = engine.Engine.ExtractAsync(clip, null, cancel.Token).AsTask();
        cancel.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => extraction.WaitAsync(Limit));
        hold.Set();
        await engine.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await engine.Engine.ExtractAsync(clip, null, default));
    }

    [Fact]
    public async Task A_source_is_closed_however_its_request_ends()
    {
        await using var engine = new FakeEngine();
        var closed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await foreach (var chunk in engine.Speak(Closing(closed)))
            break;
        await closed.Task.WaitAsync(Limit);
        await engine.AssertIdle();
    }

    [Fact]
    public async Task Hardly_any_room_for_audio_is_still_room()
    {
        await using var engine = new FakeEngine(new TtsPipelineOptions { MaxBufferedAudio = TimeSpan.FromTicks(1) });
        Assert.NotEmpty(await FakeEngine.Collect(engine.Speak(new SynthesisRequest { Text = Story })).WaitAsync(Limit));
        await engine.AssertIdle();
    }

    [Fact]
    public async Task The_end_of_a_request_leaves_no_span_behind_on_the_stages()
    {
        using var listener = new ActivityListener { ShouldListenTo = source =>
            source.Name == LightTtsDiagnostics.Name, Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData };
        ActivitySource.AddActivityListener(listener);
        await using var engine = new FakeEngine();
        var seen = 0;
        engine.World.OnCall = _ => seen += Activity.Current is null ? 0 : 1;
        using (new Activity("the caller's").Start())
            for (var i = 0; i < 3; i++)
                await FakeEngine.Collect(engine.Speak(new SynthesisRequest { Text = Story }));
        Assert.Equal(0, seen);
    }

    private static async IAsyncEnumerable<string> TwoParts(string first, Task gate, string second)
    {
        yield return first;
        await gate;
        yield return second;
    }

    private static async IAsyncEnumerable<string> Closing(TaskCompletionSource closed)
    {
        try
        {
            while (true)
            {
                yield return "one two three four five six. ";
                await Task.Yield();
            }
        }
        finally
        {
            closed.SetResult();
        }
    }

    private sealed class EndLogger(Action onEnd) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (eventId.Id == 1002)
                onEnd();
        }
    }

    private sealed class ThrowingLogger : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            throw new InvalidOperationException("the log is broken");
    }

    private sealed class LostDecoder(FakeWorld world) : ISpeechDecoder
    {
        private readonly FakeDecoder _inner = new(world);

        public int SampleRate => _inner.SampleRate;

        public int SamplesPerToken => _inner.SamplesPerToken;

        public int ChunkTokens => _inner.ChunkTokens;

        public int MaxRows => _inner.MaxRows;

        public int MaxOpenPasses => _inner.MaxOpenPasses;

        public IDisposable EnterThread() => throw new InvalidOperationException("no device");

        public void WarmUp() => _inner.WarmUp();

        public IDecodeState CreateState(TimbreFeatures timbre, DecodeOptions options) => _inner.CreateState(timbre, options);

        public IDecodePass? BeginPrompt(IDecodeState state) => _inner.BeginPrompt(state);

        public IDecodePass Begin(IReadOnlyList<DecodeRow> rows) => _inner.Begin(rows);

        public void Dispose() => _inner.Dispose();
    }
}
