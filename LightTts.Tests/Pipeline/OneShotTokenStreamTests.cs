using LightTts.Models;
using LightTts.Models.CosyVoice;
using LightTts.Models.CosyVoice.Files;
using LightTts.Pipeline;
using LightTts.Tests.Support;

namespace LightTts.Tests.Pipeline;

public class OneShotTokenStreamTests
{
    private static readonly SpeechVocabulary Ids = LanguageModels.Vocabulary(CosyVoiceGeneration.V3, 512);

    private static OneShotTokenStream Stream(int textTokens = 3, int? max = null) =>
        new(Ids, [7, 8], Enumerable.Range(20, textTokens).ToArray(), [100, 101], SpeechTokenLimits.ForText(textTokens, max), seed: 5);

    [Fact]
    public void FeedsTheSequenceInOrder() =>
        Assert.Equal([~512, 7, 8, 20, 21, 22, ~514, ~100, ~101], Stream().Pending.ToArray());

    [Fact]
    public void CosyVoice2TakesItsMarksFromTheirOwnTable()
    {
        var stream = new OneShotTokenStream(LanguageModels.Vocabulary(CosyVoiceGeneration.V2, 400), [], [20], [], new(2, 20), seed: 0);
        Assert.Equal([~403, 20, ~404], stream.Pending.ToArray());
    }

    [Fact]
    public void EveryTokenIsFedAndKeysTheNextDraw()
    {
        var stream = Stream();
        Assert.Equal((5UL, 0), (stream.Draw!.Value.Seed, stream.Draw.Value.Position));
        Assert.Equal(200, stream.Accept(200));
        Assert.Equal([~200], stream.Pending.ToArray());
        Assert.Equal(1, stream.Draw!.Value.Position);
        Assert.Equal([200], stream.Draw.Value.History);
    }

    [Fact]
    public void TheEndIsForbiddenForTwoTokensATextToken()
    {
        var stream = Stream(textTokens: 2);
        for (var i = 0; i < 6; i++)
        {
            Assert.Equal(i < 4, stream.Draw!.Value.IgnoreEos);
            stream.Accept(200 + i);
        }
    }

    [Theory]
    [InlineData(512)]
    [InlineData(513)]
    [InlineData(711)]
    public void AnyStopTokenEndsIt(int stop)
    {
        var stream = Stream();
        stream.Accept(200);
        Assert.Equal(-1, stream.Accept(stop));
        Assert.Equal(LightTts.FinishReason.Stop, stream.FinishReason);
        Assert.False(stream.Ready);
        Assert.Equal([200], stream.History);
        Assert.Throws<InvalidOperationException>(() => stream.Accept(201));
    }

    [Fact]
    public void TheLimitCutsItOff()
    {
        var stream = Stream(textTokens: 1);
        for (var i = 0; i < 20; i++)
        {
            Assert.False(stream.Finished);
            Assert.Equal(300 + i, stream.Accept(300 + i));
        }

        Assert.Equal(LightTts.FinishReason.Length, stream.FinishReason);
    }

    [Fact]
    public void ARequestCanLowerTheLimit()
    {
        var stream = Stream(textTokens: 10, max: 1);
        Assert.Equal(300, stream.Accept(300));
        Assert.Equal(LightTts.FinishReason.Length, stream.FinishReason);
    }

    [Fact]
    public void EmptyTextIsOverAtOnce() => Assert.Equal(LightTts.FinishReason.Stop, Stream(textTokens: 0).FinishReason);

    [Fact]
    public void LongSilenceIsDroppedButStillFed()
    {
        var stream = Stream();
        for (var i = 0; i < 5; i++)
            Assert.Equal(28, stream.Accept(28));
        Assert.Equal(-1, stream.Accept(28));
        Assert.Equal([~28], stream.Pending.ToArray());
        Assert.Equal(6, stream.History.Count);
    }

    [Fact]
    public void APromptCanBeFedInPiecesAndAgainFromTheStart()
    {
        var stream = Stream();
        stream.Advance(4);
        Assert.Equal([21, 22, ~514, ~100, ~101], stream.Pending.ToArray());
        Assert.Throws<ArgumentOutOfRangeException>(() => stream.Advance(5));
        stream.Accept(200);
        stream.Accept(201);
        var draw = stream.Draw;
        stream.Rewind();
        Assert.Equal([~512, 7, 8, 20, 21, 22, ~514, ~100, ~101, ~200, ~201], stream.Pending.ToArray());
        Assert.Equal(draw, stream.Draw);
        stream.Accept(202);
        Assert.Equal([~202], stream.Pending.ToArray());
    }

    [Theory]
    [InlineData(null)]
    [InlineData(9)]
    public void WhatFollowsADrawIsSaidBeforeItIsKnown(int? max)
    {
        var stream = Stream(max: max);
        for (var drawn = 0; stream.Ready; drawn++)
        {
            var (next, said) = (stream.Next, stream.DrawAfterNext);
            stream.Accept(200 + drawn);
            Assert.Equal(next == NextInput.None, stream.Finished);
            if (stream.Finished)
                continue;
            Assert.Equal(NextInput.DrawnToken, next);
            Assert.Equal([~(200 + drawn)], stream.Pending.ToArray());
            Assert.Equal(stream.Draw, said); // the history is the same list, which has the token by now
        }
        Assert.Equal(max ?? SpeechTokenLimits.ForText(3, null).Max, stream.History.Count);
    }
}
