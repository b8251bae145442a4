using LightTts.Models;
using LightTts.Models.CosyVoice;
using LightTts.Models.CosyVoice.Files;
using LightTts.Pipeline;
using LightTts.Tests.Support;

namespace LightTts.Tests.Pipeline;

public class BiStreamTokenStreamTests
{
    private static readonly SpeechVocabulary Ids = LanguageModels.Vocabulary(CosyVoiceGeneration.V3, 512);

    private static BiStreamTokenStream Stream(int? max = null) => new(Ids, [7, 8, 9], 2, [100, 101], max, seed: 0);

    [Fact]
    public void WaitsForEnoughText()
    {
        var stream = Stream();
        Assert.True(stream.WaitingForText);
        stream.Push([20, 21, 22]);
        Assert.True(stream.WaitingForText);
        Assert.False(stream.Ready);
        stream.Push([23]);
        Assert.True(stream.Ready);
        Assert.Equal([~512, 7, 8, 9, 20, 21, 22, 23, ~100, ~101], stream.Pending.ToArray());
        Assert.True(stream.Draw!.Value.IgnoreEos);
    }

    [Fact]
    public void ATurnEndsWithAFillThatIsNeitherDrawnNorFed()
    {
        var stream = Stream();
        stream.Push([20, 21, 22, 23]);
        for (var i = 0; i < 13; i++) // 15 less the prompt's two
            Assert.Equal(200 + i, stream.Accept(200 + i));
        Assert.Null(stream.Draw);
        Assert.Equal([~212], stream.Pending.ToArray());
        Assert.Throws<ArgumentException>(() => stream.Accept(213));
        Assert.Equal(-1, stream.Accept(-1));
        Assert.True(stream.WaitingForText);
        Assert.True(stream.Pending.IsEmpty);
        Assert.Equal(Ids.Fill, stream.History[^1]);
    }

    [Theory]
    [InlineData(512)]
    [InlineData(513)]
    [InlineData(600)]
    public void ASteeringTokenInATurnEndsTheTurnOnly(int token)
    {
        var stream = Stream();
        stream.Push([20, 21, 22, 23]);
        stream.Accept(200);
        Assert.Equal(-1, stream.Accept(token));
        Assert.True(stream.WaitingForText);
        stream.Push([30, 31, 32, 33, 34]);
        Assert.Equal([30, 31, 32, 33, 34], stream.Pending.ToArray());
    }

    [Theory]
    [InlineData(513)]
    [InlineData(515)]
    public void AnySteeringTokenAfterAllTextEndsTheUtterance(int token)
    {
        var stream = Stream();
        stream.Push([20]);
        stream.CompleteText();
        Assert.Equal([~512, 7, 8, 9, 20, ~514], stream.Pending.ToArray());
        Assert.True(stream.Draw!.Value.IgnoreEos); // below the minimum of two for a text token
        Assert.False(stream.Draw!.Value.MayFill);
        stream.Accept(200);
        Assert.True(stream.Draw!.Value.IgnoreEos);
        stream.Accept(201);
        Assert.False(stream.Draw!.Value.IgnoreEos);
        Assert.Equal(-1, stream.Accept(token));
        Assert.Equal(LightTts.FinishReason.Stop, stream.FinishReason);
        Assert.Throws<InvalidOperationException>(() => stream.Push([1]));
    }

    [Fact]
    public void NoTextAtAllIsOverAtOnce()
    {
        var stream = Stream();
        stream.CompleteText();
        Assert.Equal(LightTts.FinishReason.Stop, stream.FinishReason);
    }

    [Theory]
    [InlineData(null, 20)]
    [InlineData(7, 7)]
    public void AModelThatFindsNoEndIsCutOff(int? max, int expected)
    {
        var stream = Stream(max);
        stream.Push([20]);
        stream.CompleteText();
        var count = 0;
        while (stream.Ready)
        {
            stream.Accept(300);
            count++;
        }

        Assert.Equal(expected, count);
        Assert.Equal(LightTts.FinishReason.Length, stream.FinishReason);
    }

    [Fact]
    public void PreemptedWhileItWaitsItFeedsEverythingAgainWithTheNextText()
    {
        var stream = Stream();
        stream.Push([20, 21, 22, 23]);
        stream.Accept(200);
        stream.Accept(Ids.Fill);
        stream.Rewind();
        Assert.False(stream.Ready);
        stream.Push([30, 31, 32, 33, 34]);
        Assert.Equal([~512, 7, 8, 9, 20, 21, 22, 23, ~100, ~101, ~200, 30, 31, 32, 33, 34], stream.Pending.ToArray());
    }

    [Fact]
    public void WhatFollowsADrawIsSaidBeforehandWhereASoundDecidesIt()
    {
        var stream = Stream(max: 30);
        stream.Push([20, 21, 22, 23]);
        List<NextInput> said = [];
        for (var turn = 0; turn < 2; turn++)
        {
            while (stream.Ready)
            {
                if (stream.Draw is null)
                {
                    stream.Accept(-1); // the turn's fill
                    continue;
                }
                var (next, draw, drawn) = (stream.Next, stream.DrawAfterNext, 200 + stream.History.Count);
                said.Add(next);
                stream.Accept(drawn);
                if (next != NextInput.DrawnToken)
                    continue;
                Assert.Equal([~drawn], stream.Pending.ToArray());
                Assert.Equal(stream.Draw, draw);
            }
            if (turn == 0)
                stream.CompleteText();
        }
        // 13 sounds of the first turn, whose last is followed by a fill, and 16 of the last one.
        NextInput[] first = [.. Enumerable.Repeat(NextInput.DrawnToken, 12), NextInput.Unknown];
        Assert.Equal([.. first, .. Enumerable.Repeat(NextInput.DrawnToken, 15), NextInput.None], said);
        Assert.Equal(30, stream.History.Count);
    }
}
