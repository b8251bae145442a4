using LightTts.Tests.Support;

namespace LightTts.Tests.EndToEnd;

/// <summary>A source of text that pauses, as a language model does that calls a tool, or that fails: what it said completely is spoken.</summary>
public class PausingSourceTests
{
    private static readonly SynthesisRequest Request = new() { Seed = 5 };

    [Theory]
    [InlineData("Hello there, this is one. And ")]
    [InlineData("Hello there, this is one.")]
    public async Task A_finished_sentence_is_spoken_while_the_source_pauses(string first)
    {
        var pipeline = await SharedPipeline.GetAsync();
        var goOn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        async IAsyncEnumerable<string> Text()
        {
            yield return first;
            await goOn.Task;
            yield return first.EndsWith(' ') ? "this is two." : " And this is two.";
        }
        var (before, after) = (TimeSpan.Zero, TimeSpan.Zero);
        await foreach (var chunk in pipeline.SynthesizeAsync(Text(), Request).WithCancellation(TestContext.Current.CancellationToken))
        {
            if (chunk.SentenceIndex == 0)
                before += chunk.Duration;
            else
                after += chunk.Duration;
            // The first sentence is over: the source goes on only now.
            if (chunk.FinishReason is not null)
                goOn.TrySetResult();
        }
        Assert.InRange(before.TotalSeconds, 0.9, 3);
        Assert.InRange(after.TotalSeconds, 0.5, 3);
    }

    [Fact]
    public async Task What_was_complete_is_heard_before_the_failure_of_the_source()
    {
        var pipeline = await SharedPipeline.GetAsync();
        async IAsyncEnumerable<string> Text()
        {
            yield return "Hello there, this is one. And ";
            await Task.Yield();
            throw new InvalidOperationException("the tool is gone");
        }
        var heard = TimeSpan.Zero;
        var error = await Assert.ThrowsAsync<TtsRequestException>(async () =>
        {
            await foreach (var chunk in pipeline.SynthesizeAsync(Text(), Request))
                heard += chunk.Duration;
        });
        Assert.Contains("the tool is gone", error.Message);
        Assert.InRange(heard.TotalSeconds, 0.9, 3);
    }

    [Fact]
    public async Task A_source_that_fails_at_once_is_an_error_at_once()
    {
        var pipeline = await SharedPipeline.GetAsync();
        async IAsyncEnumerable<string> Text()
        {
            await Task.Yield();
            throw new InvalidOperationException("never began");
#pragma warning disable CS0162 // an iterator needs it
            yield break;
#pragma warning restore CS0162
        }
        var error = await Assert.ThrowsAsync<TtsRequestException>(async () =>
        {
            await foreach (var chunk in pipeline.SynthesizeAsync(Text(), Request))
                Assert.Fail("there is nothing to hear");
        });
        Assert.Contains("never began", error.Message);
    }
}
