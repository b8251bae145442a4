using LightTts.Tests.Pipeline.Fakes;

namespace LightTts.Tests.Pipeline;

/// <summary>Speech into another voice, over fake models: encode and decode stage alone.</summary>
public sealed class ConversionTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Tokens_arrive_in_order_and_a_pause_ends_an_utterance(bool live)
    {
        await using var engine = new FakeEngine();
        var clip = Clip([.. Enumerable.Range(0, 23).Select(i => i / 100f), -1, .. Enumerable.Range(30, 17).Select(i => i / 100f)]);
        var chunks = await FakeEngine.Collect(live ? engine.Convert(Pieces(clip, 3)) : engine.Convert(clip));
        Assert.Equal(Enumerable.Range(0, 23).Concat(Enumerable.Range(30, 17)), chunks.SelectMany(chunk => chunk.SpeechTokens.ToArray()));
        Assert.Equal(Enumerable.Range(0, chunks.Count), chunks.Select(chunk => chunk.Index));
        Assert.Equal([0, 1], chunks.Select(chunk => chunk.SentenceIndex).Distinct());
        Assert.Equal([chunks[^1]], chunks.Where(chunk => chunk.IsLast));
        Assert.All(chunks, chunk => Assert.True(chunk.FinishReason is null or FinishReason.Stop));
        Assert.Equal(0, engine.World.Steps);
        await engine.AssertIdle();
    }

    [Fact]
    public async Task A_reader_that_does_not_read_stops_the_source()
    {
        await using var engine = new FakeEngine(new TtsPipelineOptions { MaxBufferedAudio = TimeSpan.FromSeconds(0.5) });
        var taken = 0;
        var chunks = engine.Convert(Endless()).GetAsyncEnumerator();
        Assert.True(await chunks.MoveNextAsync());
        // Whoever waits for the same stages is served, and what was taken meanwhile stays bounded: tokens that wait, and a few seconds of audio.
        for (var i = 0; i < 5; i++)
            Assert.NotEmpty(await FakeEngine.Collect(engine.Convert(Clip([0.1f, 0.2f, 0.3f]))));
        Assert.InRange(Volatile.Read(ref taken), 1, 200);
        await chunks.DisposeAsync();
        await engine.AssertIdle();

        async IAsyncEnumerable<AudioClip> Endless()
        {
            await Task.Yield();
            while (true)
            {
                Interlocked.Increment(ref taken);
                yield return new AudioClip(new float[100], 100); // a second, a hundred tokens
            }
        }
    }

    [Fact]
    public async Task A_source_that_fails_is_spoken_as_far_as_it_came()
    {
        await using var engine = new FakeEngine();
        List<int> tokens = [];
        var error = await Assert.ThrowsAsync<TtsRequestException>(async () =>
        {
            await foreach (var chunk in engine.Convert(Failing()))
                tokens.AddRange(chunk.SpeechTokens.ToArray());
        });
        Assert.Contains("unplugged", error.Message, StringComparison.Ordinal);
        Assert.Equal([1, 2, 3, 4, 5, 6, 7], tokens);
        await engine.AssertIdle();

        static async IAsyncEnumerable<AudioClip> Failing()
        {
            await Task.Yield();
            yield return Clip([0.01f, 0.02f, 0.03f, 0.04f, 0.05f, 0.06f, 0.07f]);
            throw new IOException("unplugged");
        }
    }

    [Fact]
    public async Task A_source_that_falls_silent_is_a_missed_deadline()
    {
        await using var engine = new FakeEngine(new TtsPipelineOptions { TextIdleTimeout = TimeSpan.FromMilliseconds(50) });
        var error = await Assert.ThrowsAsync<TtsTimeoutException>(() => FakeEngine.Collect(engine.Convert(Silent())));
        Assert.Contains(nameof(TtsPipelineOptions.TextIdleTimeout), error.Message, StringComparison.Ordinal);
        await engine.AssertIdle();

        static async IAsyncEnumerable<AudioClip> Silent([System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken token = default)
        {
            yield return Clip([0.01f]);
            await Task.Delay(Timeout.Infinite, token);
        }
    }

    [Fact]
    public async Task What_the_tokenizer_throws_fails_its_request_alone()
    {
        await using var engine = new FakeEngine();
        engine.World.OnCall = call =>
        {
            if (call == "source")
                throw new InvalidOperationException("injected");
        };
        var error = await Assert.ThrowsAsync<TtsSynthesisException>(() => FakeEngine.Collect(engine.Convert(Clip([0.1f]))));
        Assert.Contains("injected", error.Message, StringComparison.Ordinal);
        Assert.NotEmpty(await FakeEngine.Collect(engine.Speak(new SynthesisRequest { Text = "one two.", Seed = 1 })));
        await engine.AssertIdle();
    }

    private static AudioClip Clip(float[] samples) => new(samples, 16_000);

    private static async IAsyncEnumerable<AudioClip> Pieces(AudioClip clip, int size)
    {
        for (var at = 0; at < clip.Samples.Length; at += size)
        {
            await Task.Yield();
            yield return new AudioClip(clip.Samples[at..Math.Min(at + size, clip.Samples.Length)], clip.SampleRate);
        }
    }
}
