using LightTts.Tests.Pipeline.Fakes;

namespace LightTts.Tests.Faults;

/// <summary>What faults are injected into: the pipeline over fake models, or the real one with the embedded voice.</summary>
internal abstract class FaultTarget(EventLog log) : IAsyncDisposable
{
    public EventLog Log => log;

    /// <summary>Some sentences to speak.</summary>
    public abstract string Story { get; }

    /// <summary>Language models to ask for; null: the first.</summary>
    public string?[] Styles { get; set; } = [null];

    /// <summary>How long anything may take before it counts as hanging.</summary>
    public abstract TimeSpan Limit { get; }

    /// <summary>How far two renderings of the same speech may differ; null where they have to be the same bits.</summary>
    public virtual float? Tolerance => null;

    public abstract TtsPipelineStatus Status { get; }

    /// <summary>Speaks the request's text, or streamed text.</summary>
    public abstract IAsyncEnumerable<AudioChunk> Speak(SynthesisRequest request, IAsyncEnumerable<string>? text = null,
        CancellationToken token = default);

    /// <summary>Speaks some speech in the default voice: whole, or in pieces that come one after the other.</summary>
    public abstract IAsyncEnumerable<AudioChunk> Convert(bool live, ConversionRequest request, CancellationToken token);

    /// <summary>A clip in pieces.</summary>
    protected static async IAsyncEnumerable<AudioClip> Pieces(AudioClip clip, int size)
    {
        for (var at = 0; at < clip.Samples.Length; at += size)
        {
            await Task.Yield();
            yield return new AudioClip(clip.Samples[at..Math.Min(at + size, clip.Samples.Length)], clip.SampleRate);
        }
    }

    /// <summary>Does something at a random moment of the work that is going on, on a thread of the pipeline where that is possible.</summary>
    public abstract void Later(Random random, Action action);

    /// <summary>Called before every call of a model, on the stage's thread; throws to inject a fault.</summary>
    public abstract Action? OnModelCall { set; }

    public virtual bool IsIdle =>
        Status is { ActiveRequests: 0, KvBlocksInUse: 0, LanguageSequences: 0, DecodeUtterances: 0, DecodeCacheBytes: 0 };

    public async Task AssertIdle()
    {
        for (var i = 0; i < 10_000 && !IsIdle; i++)
            await Task.Delay(1); // the stages free in their next step
        Assert.True(IsIdle, $"not idle: {Describe()}");
    }

    /// <summary>Waits for what must not hang; where it does, says what the pipeline was doing.</summary>
    public async Task InTime(string what, Task task)
    {
        try
        {
            await task.WaitAsync(Limit);
        }
        catch (TimeoutException) when (!task.IsCompleted)
        {
            Assert.Fail($"{what} hangs: {Describe()}");
        }
    }

    private string Describe() => $"{Status}, {string.Join(", ", Status.Stages)}";

    public async Task<float[]> Render(SynthesisRequest request, IAsyncEnumerable<string>? text = null) =>
        FakeEngine.Join(await FakeEngine.Collect(Speak(request, text)));

    public void AssertSame(float[] expected, float[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        if (Tolerance is not { } tolerance)
            Assert.True(expected.AsSpan().SequenceEqual(actual), "the samples differ");
        else
            for (var i = 0; i < expected.Length; i++)
                if (!(Math.Abs(expected[i] - actual[i]) <= tolerance))
                    Assert.Fail($"sample {i} is {actual[i]} instead of {expected[i]}");
    }

    public abstract ValueTask DisposeAsync();
}

/// <summary>The real threads, channels and scheduler over fake models.</summary>
internal sealed class FakeTarget(TtsPipelineOptions? options = null, int blocks = 256, int rows = 16, TimeProvider? time = null,
    bool goesAhead = false)
    : FaultTarget(new EventLog())
{
    private FakeEngine? _engine;

    public FakeEngine Engine => _engine ??= new FakeEngine(options, blocks, rows, decodeRows: 1, time, Log, goesAhead: goesAhead);

    public FakeWorld World => Engine.World;

    public override string Story => "one two three four. five six seven eight nine ten. eleven twelve. a bb ccc dddd eeeee ffffff.";

    public override TimeSpan Limit => TimeSpan.FromSeconds(30);

    public override TtsPipelineStatus Status => Engine.Engine.Status();

    public override Action? OnModelCall
    {
        set => World.OnCall = value is null ? null : _ => value();
    }

    public override bool IsIdle => base.IsIdle && World is { LanguageStates: 0, DecodeStates: 0 };

    public override IAsyncEnumerable<AudioChunk> Speak(SynthesisRequest request, IAsyncEnumerable<string>? text = null,
        CancellationToken token = default) =>
        text is null ? Engine.Speak(request, token) : Engine.Speak(text, request, token);

    public override IAsyncEnumerable<AudioChunk> Convert(bool live, ConversionRequest request, CancellationToken token)
    {
        var clip = new AudioClip(Enumerable.Range(0, 60).Select(i => i % 17 == 16 ? -1 : i / 100f).ToArray(), 16_000);
        return live ? Engine.Convert(Pieces(clip, 7), request, token) : Engine.Convert(clip, request, token);
    }

    public override void Later(Random random, Action action)
    {
        var calls = random.Next(1, 60);
        World.OnCall = _ =>
        {
            if (Interlocked.Decrement(ref calls) != 0)
                return;
            try
            {
                action();
            }
            catch (ObjectDisposedException)
            {
                // its request was done before
            }
        };
    }

    public override ValueTask DisposeAsync() => Engine.DisposeAsync();
}
