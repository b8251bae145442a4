using LightTts.Models;
using LightTts.Tests.Pipeline.Fakes;

namespace LightTts.Tests.Pipeline;

/// <summary>Speech that is silent, or cannot be its text, is drawn again.</summary>
public class RedrawTests
{
    [Theory]
    [InlineData(AudioDelivery.Streaming)]
    [InlineData(AudioDelivery.Whole)]
    public async Task A_silent_sentence_is_drawn_again_and_says_so(AudioDelivery mode)
    {
        await using var engine = new FakeEngine();
        var request = new SynthesisRequest { Text = "one two three", Seed = FakeWorld.SilentSeed, Delivery = mode };
        var alone = await FakeEngine.Collect(engine.Speak(request));
        Assert.NotEmpty(FakeEngine.Join(alone));
        Assert.All(alone, chunk => Assert.Equal(1, chunk.Redraws));
        Assert.Equal(SpeechQuality.Plausible, alone[^1].Quality);
        var crowd = await Task.WhenAll(Enumerable.Range(0, 12).Select(i =>
            FakeEngine.Collect(engine.Speak(i % 2 == 0 ? request : request with { Seed = i }))));
        Assert.All(crowd.Where((_, i) => i % 2 == 0), chunks => Assert.Equal(FakeEngine.Join(alone), FakeEngine.Join(chunks)));
        await engine.AssertIdle();
    }

    [Fact]
    public async Task Streamed_text_is_drawn_again_too()
    {
        await using var engine = new FakeEngine();
        async IAsyncEnumerable<string> Text()
        {
            yield return "one ";
            await Task.Yield();
            yield return "two three";
        }
        var chunks = await FakeEngine.Collect(engine.Speak(Text(), new SynthesisRequest { Seed = FakeWorld.SilentSeed }));
        Assert.NotEmpty(FakeEngine.Join(chunks));
        Assert.Equal(1, chunks[0].Redraws);
        await engine.AssertIdle();
    }

    [Theory]
    [InlineData(AudioDelivery.Streaming)]
    [InlineData(AudioDelivery.Whole)]
    public async Task Speech_that_stays_silent_is_an_error(AudioDelivery mode)
    {
        await using var engine = new FakeEngine(new TtsPipelineOptions { MaxRedraws = 3 });
        engine.World.IsMute = true;
        var error = await Assert.ThrowsAsync<TtsSynthesisException>(() =>
            FakeEngine.Collect(engine.Speak(new SynthesisRequest { Text = "one two three", Seed = 1, Delivery = mode })));
        Assert.Contains("Sentence 1", error.Message);
        Assert.Contains("4 times", error.Message);
        Assert.Contains("seed", error.Message);
        await engine.AssertIdle();
    }

    [Fact]
    public async Task Speech_of_an_implausible_length_is_drawn_again_within_the_bound_and_flagged()
    {
        await using var engine = new FakeEngine();
        engine.World.Pace = new SpeechPace(25, 1, 0.5, 100); // a letter a second: what the fake speaks is far too short
        var text = "one two three four five six seven.";
        var whole = await FakeEngine.Collect(engine.Speak(new SynthesisRequest { Text = text, Seed = 5, Delivery = AudioDelivery.Whole }));
        Assert.Equal((SpeechQuality.TooShort, 2), (whole[^1].Quality, whole[^1].Redraws));
        // of a stream the first chunk has left when that is known
        var streamed = await FakeEngine.Collect(engine.Speak(new SynthesisRequest { Text = text, Seed = 5 }));
        Assert.Equal((SpeechQuality.TooShort, 0), (streamed[^1].Quality, streamed[^1].Redraws));
        engine.World.Pace = new SpeechPace(25, double.MaxValue, 1e9, 0.1);
        whole = await FakeEngine.Collect(engine.Speak(new SynthesisRequest { Text = text, Seed = 5, Delivery = AudioDelivery.Whole }));
        Assert.Equal((SpeechQuality.TooLong, 2), (whole[^1].Quality, whole[^1].Redraws));
        await engine.AssertIdle();
    }

    [Fact]
    public async Task Of_attempts_that_are_all_implausible_the_nearest_is_kept()
    {
        // The third attempt is the silent one; the two before it are too short, and of two that are alike the first counts.
        var seed = unchecked((long)(FakeWorld.SilentSeed - 2 * 0xD1B54A32D192ED03));
        var request = new SynthesisRequest { Text = "one.", Seed = seed, Delivery = AudioDelivery.Whole };
        var pace = new SpeechPace(25, 1, 0.5, 100);
        await using var engine = new FakeEngine(new TtsPipelineOptions { MaxRedraws = 2 });
        engine.World.Pace = pace;
        var kept = await FakeEngine.Collect(engine.Speak(request));
        Assert.Equal((SpeechQuality.TooShort, 2), (kept[^1].Quality, kept[^1].Redraws));
        await engine.AssertIdle();
        await using var first = new FakeEngine(new TtsPipelineOptions { MaxRedraws = 0 });
        first.World.Pace = pace;
        var alone = await FakeEngine.Collect(first.Speak(request));
        Assert.Equal((SpeechQuality.TooShort, 0), (alone[^1].Quality, alone[^1].Redraws));
        Assert.NotEmpty(FakeEngine.Join(alone));
        Assert.Equal(FakeEngine.Join(alone), FakeEngine.Join(kept));
        Assert.Equal(alone.SelectMany(chunk => chunk.SpeechTokens.ToArray()), kept.SelectMany(chunk => chunk.SpeechTokens.ToArray()));
    }

    [Fact]
    public void Pace_counts_letters_as_they_are_spoken()
    {
        var pace = new SpeechPace(25, 25, 5, 1);
        Assert.Equal(11, pace.Fewest("hello world"));
        Assert.Equal(1, pace.Fewest("7"));
        Assert.Equal(12, pace.Fewest("你好世界"));
        Assert.Equal(25 + 5 * 4, pace.Most("7"));
        Assert.Equal(25 + 5 * 5, pace.Most("hello"));
        Assert.Equal((0, int.MaxValue), (pace.Fewest("?!"), pace.Most("?!")));
    }

    [Theory]
    [InlineData("?!", 50)]
    [InlineData("... ", 200)]
    public async Task Streamed_punctuation_alone_is_refused(string piece, int count)
    {
        var pipeline = await LightTts.Tests.Support.SharedPipeline.GetAsync();
        async IAsyncEnumerable<string> Text()
        {
            for (var i = 0; i < count; i++)
                yield return piece;
            await Task.Yield();
        }
        await Assert.ThrowsAsync<TtsRequestException>(() => FakeEngine.Collect(pipeline.SynthesizeAsync(Text(), new SynthesisRequest { Seed = 1 })));
    }

    [Fact]
    public async Task Every_token_is_named_once()
    {
        var pipeline = await LightTts.Tests.Support.SharedPipeline.GetAsync();
        var request = new SynthesisRequest { Text = "Every single token of this sentence is named in one chunk.", Seed = 7, Voice = "rms" };
        var streamed = await FakeEngine.Collect(pipeline.SynthesizeAsync(request));
        var whole = await FakeEngine.Collect(pipeline.SynthesizeAsync(request with { Delivery = AudioDelivery.Whole }));
        Assert.True(streamed.Count > 1);
        Assert.Equal(whole.SelectMany(chunk => chunk.SpeechTokens.ToArray()), streamed.SelectMany(chunk => chunk.SpeechTokens.ToArray()));
    }
}
