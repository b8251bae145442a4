using LightTts.Tests.Pipeline.Fakes;

namespace LightTts.Tests.Pipeline;

public class SynthesisEngineTests
{
    private const string Story = "one two three four. five six seven eight nine ten. eleven twelve. a bb ccc dddd eeeee ffffff.";

    [Theory]
    [InlineData(AudioDelivery.Streaming)]
    [InlineData(AudioDelivery.Whole)]
    public async Task Audio_comes_in_order_and_says_what_it_is(AudioDelivery mode)
    {
        await using var engine = new FakeEngine();
        var chunks = await FakeEngine.Collect(engine.Speak(new SynthesisRequest { Text = Story, Seed = 3, Delivery = mode }));
        Assert.Equal(Enumerable.Range(0, chunks.Count), chunks.Select(chunk => chunk.Index));
        Assert.True(chunks[0].IsFirst);
        Assert.True(chunks[^1].IsLast);
        Assert.Single(chunks, chunk => chunk.IsLast);
        Assert.Equal([0, 1, 2, 3], chunks.Select(chunk => chunk.SentenceIndex).Distinct());
        Assert.Equal(4, chunks.Count(chunk => chunk.FinishReason == FinishReason.Stop));
        Assert.Equal("eleven twelve.", Story[chunks.First(chunk => chunk.SentenceIndex == 2).TextRange].Trim());
        var start = TimeSpan.Zero;
        foreach (var chunk in chunks)
        {
            Assert.Equal(start.TotalSeconds, chunk.Start.TotalSeconds, 6);
            start += chunk.Duration;
        }
        // every token once, and each chunk's samples are those of its tokens
        foreach (var sentence in chunks.GroupBy(chunk => chunk.SentenceIndex))
            Assert.Equal(sentence.SelectMany(chunk => chunk.SpeechTokens.ToArray()).SelectMany(token =>
            Enumerable.Repeat(token / 128f, FakeDecoder.Samples)), FakeEngine.Join(sentence));
        await engine.AssertIdle();
    }

    [Fact]
    public async Task Same_seed_gives_the_same_audio_alone_and_among_others()
    {
        await using var engine = new FakeEngine();
        var alone = FakeEngine.Join(await FakeEngine.Collect(engine.Speak(new SynthesisRequest { Text = Story, Seed = 7 })));
        var crowd = await Task.WhenAll(Enumerable.Range(0, 12).Select(i =>
            FakeEngine.Collect(engine.Speak(new SynthesisRequest { Text = Story, Seed = i, Delivery = i % 2 == 0 ? AudioDelivery.Whole
            : AudioDelivery.Streaming }))));
        Assert.Equal(alone, FakeEngine.Join(crowd[7]));
        Assert.NotEqual(alone, FakeEngine.Join(crowd[9]));
        await engine.AssertIdle();
    }

    [Fact]
    public async Task A_pool_too_small_for_all_preempts_and_resumes_identically()
    {
        await using var roomy = new FakeEngine();
        // four blocks hold one long sequence of this text, not two
        await using var tight = new FakeEngine(blocks: 4);
        var expected = await Task.WhenAll(Enumerable.Range(0, 10).Select(i =>
            FakeEngine.Collect(roomy.Speak(new SynthesisRequest { Text = Story, Seed = i }))));
        var actual = await Task.WhenAll(Enumerable.Range(0, 10).Select(i =>
            FakeEngine.Collect(tight.Speak(new SynthesisRequest { Text = Story, Seed = i }))));
        for (var i = 0; i < 10; i++)
            Assert.Equal(FakeEngine.Join(expected[i]), FakeEngine.Join(actual[i]));
        await tight.AssertIdle();
    }

    [Fact]
    public async Task A_newcomer_is_served_in_the_middle_of_a_long_pass()
    {
        await using var engine = new FakeEngine(decodeRows: 1);
        using var inPass = new ManualResetEventSlim();
        var first = new TaskCompletionSource();
        // the pass goes on only when the newcomer has its audio, which it can only have got meanwhile
        engine.World.InPass = () =>
        {
            inPass.Set();
            return !first.Task.IsCompleted;
        };
        var whole = FakeEngine.Collect(engine.Speak(new SynthesisRequest { Text = Story, Seed = 3, Delivery = AudioDelivery.Whole }));
        Assert.True(inPass.Wait(TimeSpan.FromSeconds(10)));
        List<AudioChunk> chunks = [];
        var newcomer = Task.Run(async () =>
        {
            await foreach (var chunk in engine.Speak(new SynthesisRequest { Text = Story, Seed = 4 }))
            {
                chunks.Add(chunk);
                first.TrySetResult();
            }
        });
        await first.Task.WaitAsync(TimeSpan.FromSeconds(10));
        await newcomer;
        Assert.NotEmpty(await whole);
        engine.World.InPass = null;
        Assert.Equal(FakeEngine.Join(await FakeEngine.Collect(engine.Speak(new SynthesisRequest { Text = Story, Seed = 4 }))),
            FakeEngine.Join(chunks));
        await engine.AssertIdle();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Drawing_ahead_waits_while_first_audio_is_decoded_where_both_want_the_same_processors(bool yields)
    {
        await using var engine = new FakeEngine(yieldsToFirstAudio: yields);
        using var decodes = new ManualResetEventSlim();
        var drawn = 0;
        engine.World.OnCall = name =>
        {
            // With the tokens of a first chunk it waits for the pass to begin, however busy the machine is.
            if (name == "step" && engine.World.Steps == 12)
                decodes.Wait();
            if (name != "decode" || drawn > 0)
                return;
            decodes.Set();
            Thread.Sleep(300); // enough to draw the sentence to its end, many times
            drawn = engine.World.Steps;
        };
        await FakeEngine.Collect(engine.Speak(new SynthesisRequest { Text = "a b c d e f g h i j k l m n o p q r s t.", Seed = 3 }));
        Assert.True(engine.World.Steps > 60);
        Assert.Equal(yields, drawn < 30);
        await engine.AssertIdle();
    }

    [Fact]
    public async Task Requests_that_come_again_and_again_do_not_overtake_others_without_end()
    {
        await using var engine = new FakeEngine(decodeRows: 1);
        engine.World.OnCall = call =>
        {
            if (call == "state")
                Thread.Sleep(6); // as with a new voice each: one utterance is prepared, then what is ready has its turn
        };
        var done = new int[8];
        await Task.WhenAll(done.Select((_, i) => Task.Run(async () =>
        {
            while (done.Sum() < 160)
            {
                await FakeEngine.Collect(engine.Speak(new SynthesisRequest { Text = "one.", Seed = i, Delivery = AudioDelivery.Whole }));
                Interlocked.Increment(ref done[i]);
            }
        })));
        Assert.All(done, served => Assert.InRange(served, 10, 40));
        await engine.AssertIdle();
    }

    [Fact]
    public async Task A_sequence_that_can_never_fit_fails_with_the_cure()
    {
        await using var engine = new FakeEngine(blocks: 1);
        var error = await Assert.ThrowsAsync<TtsSynthesisException>(() => FakeEngine.Collect(engine.Speak(new SynthesisRequest { Text = Story })));
        Assert.Contains("Shorten", error.Message);
        await engine.AssertIdle();
    }

    [Theory]
    [InlineData("")]
    [InlineData("  ")]
    [InlineData("...")]
    public async Task Nothing_to_speak_is_said_so(string text)
    {
        await using var engine = new FakeEngine();
        await Assert.ThrowsAsync<TtsRequestException>(() => FakeEngine.Collect(engine.Speak(new SynthesisRequest { Text = text })));
        await engine.AssertIdle();
    }

    [Fact]
    public async Task Streamed_text_does_not_depend_on_its_pieces()
    {
        await using var engine = new FakeEngine();
        var words = Story.Split(' ').Select(word => word + " ").ToArray();
        var letters = Story.Select(c => c.ToString()).ToArray();
        var whole = FakeEngine.Join(await FakeEngine.Collect(engine.Speak(Pieces(Story))));
        Assert.NotEmpty(whole);
        Assert.Equal(whole, FakeEngine.Join(await FakeEngine.Collect(engine.Speak(Pieces(words)))));
        Assert.Equal(whole, FakeEngine.Join(await FakeEngine.Collect(engine.Speak(Pieces(letters)))));
        await engine.AssertIdle();
    }

    [Fact]
    public async Task Streamed_text_is_spoken_before_it_ends()
    {
        await using var engine = new FakeEngine();
        var gate = new TaskCompletionSource();
        var first = true;
        await foreach (var chunk in engine.Speak(Gated(Story, gate.Task)))
        {
            if (first)
                gate.SetResult(); // the source ends only after audio has come
            first = false;
        }
        Assert.False(first);
        await engine.AssertIdle();
    }

    [Fact]
    public async Task A_text_source_that_throws_ends_its_request_only()
    {
        await using var engine = new FakeEngine();
        var peer = FakeEngine.Collect(engine.Speak(new SynthesisRequest { Text = Story, Seed = 1 }));
        var error = await Assert.ThrowsAsync<TtsRequestException>(() => FakeEngine.Collect(engine.Speak(Throwing())));
        Assert.IsType<InvalidDataException>(error.InnerException);
        Assert.NotEmpty(await peer);
        await engine.AssertIdle();
    }

    [Fact]
    public async Task A_text_source_that_ends_empty_is_said_so()
    {
        await using var engine = new FakeEngine();
        await Assert.ThrowsAsync<TtsRequestException>(() => FakeEngine.Collect(engine.Speak(Pieces("", " "))));
        await engine.AssertIdle();
    }

    [Fact]
    public async Task A_text_source_that_stalls_times_out()
    {
        await using var engine = new FakeEngine(new TtsPipelineOptions { TextIdleTimeout = TimeSpan.FromMilliseconds(30) });
        await Assert.ThrowsAsync<TtsTimeoutException>(() => FakeEngine.Collect(engine.Speak(Gated("one two ", new TaskCompletionSource().Task))));
        await engine.AssertIdle();
    }

    [Theory]
    [InlineData("prepare")]
    [InlineData("step")]
    [InlineData("state")]
    [InlineData("decode")]
    public async Task An_exception_in_a_stage_fails_its_request_and_the_next_one_is_served(string call)
    {
        await using var engine = new FakeEngine();
        engine.World.OnCall = name =>
        {
            if (name == call)
                throw new InvalidOperationException("injected");
        };
        var error = await Assert.ThrowsAsync<TtsSynthesisException>(() => FakeEngine.Collect(engine.Speak(new SynthesisRequest { Text = Story })));
        Assert.IsType<InvalidOperationException>(error.InnerException);
        engine.World.OnCall = null;
        Assert.NotEmpty(await FakeEngine.Collect(engine.Speak(new SynthesisRequest { Text = Story })));
        await engine.AssertIdle();
    }

    [Fact]
    public async Task Chapter_long_text_keeps_a_bounded_number_of_sentences_in_the_pipeline()
    {
        await using var engine = new FakeEngine();
        var held = 0;
        var text = string.Concat(Enumerable.Repeat("one two three. ", 2000));
        var chunks = 0;
        await foreach (var chunk in engine.Speak(new SynthesisRequest { Text = text, Delivery = AudioDelivery.Whole }))
        {
            held = Math.Max(held, engine.Engine.Status().DecodeUtterances);
            chunks++;
        }
        Assert.Equal(2000, chunks);
        Assert.InRange(held, 0, 4);
        await engine.AssertIdle();
    }

    internal static async IAsyncEnumerable<string> Pieces(params string[] pieces)
    {
        foreach (var piece in pieces)
        {
            await Task.Yield();
            yield return piece;
        }
    }

    internal static async IAsyncEnumerable<string> Gated(string text, Task gate)
    {
        yield return text;
        await gate;
    }

    private static async IAsyncEnumerable<string> Throwing()
    {
        yield return "one two three four five six ";
        await Task.Yield();
        throw new InvalidDataException("the source broke");
    }
}
