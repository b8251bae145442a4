using LightTts.Models;
using LightTts.Models.CosyVoice;
using LightTts.Models.CosyVoice.Language;
using LightTts.Pipeline;
using LightTts.Tests.Support;

namespace LightTts.Tests.Models.CosyVoice.Language;

public class RasSamplerTests
{
    private static RasSampler Sampler(double topP = 0.8, int topK = 25, int window = 10, double threshold = 0.1, int mask = 3) =>
        new(LanguageModels.Config with { TopP = topP, TopK = topK, RepetitionWindow = window, RepetitionThreshold = threshold }, mask, mask);

    private static int Draw(RasSampler sampler, float[] logits, int[]? history = null, bool ignoreEos = false, ulong seed = 0, int position = 0) =>
        Draw(sampler, logits, new TokenDraw(seed, position, history ?? [], ignoreEos));

    private static int Draw(RasSampler sampler, float[] logits, TokenDraw draw)
    {
        Assert.True(sampler.TryDraw((float[])logits.Clone(), draw, out var token));
        return token;
    }

    [Fact]
    public void EqualValuesKeepTheirOrder()
    {
        var sampler = Sampler(topP: 1, topK: 4);
        Draw(sampler, [0, 1, 2, 1, 2, 1, 2]);
        Assert.Equal([2, 4, 6, 1], sampler.NucleusIds.ToArray());
    }

    [Fact]
    public void TheNucleusIncludesTheOneThatCrosses()
    {
        var sampler = Sampler(topP: 0.5);
        Draw(sampler, [MathF.Log(0.4f), MathF.Log(0.3f), MathF.Log(0.2f), MathF.Log(0.1f)]);
        Assert.Equal([0, 1], sampler.NucleusIds.ToArray());
    }

    [Fact]
    public void TheEndIsNotDrawnWhereItIsForbidden()
    {
        float[] logits = [0, 0, 0, 30];
        Assert.Equal(3, Draw(Sampler(), logits));
        Assert.NotEqual(3, Draw(Sampler(), logits, ignoreEos: true));
    }

    [Fact]
    public void NoIdThatEndsIsDrawnWhereTheEndIsForbidden()
    {
        var vocabulary = LanguageModels.Vocabulary(LightTts.Models.CosyVoice.CosyVoiceGeneration.V3, 512);
        var sampler = new RasSampler(LanguageModels.Config, vocabulary);
        var logits = new float[vocabulary.LogitCount];
        logits.AsSpan(vocabulary.FirstStop..(vocabulary.LastStop + 1)).Fill(1e30f);
        for (var position = 0; position < 50; position++)
        {
            Assert.InRange(Draw(sampler, logits, ignoreEos: true, position: position), 0, vocabulary.Size - 1);
            Assert.True(vocabulary.IsStop(Draw(sampler, logits, position: position)));
        }
        var between = Draw(sampler, logits, new TokenDraw(1, 0, [], IgnoreEos: true, MayFill: true));
        Assert.Equal(vocabulary.Fill, between);
    }

    [Fact]
    public void TheOnlyAllowedTokenIsDrawnAgainWhereItIsRepeated()
    {
        var sampler = new RasSampler(LanguageModels.Config with { RepetitionWindow = 10, RepetitionThreshold = 0.1 }, 1, 3);
        Assert.Equal(0, Draw(sampler, [-1e30f, 0, 0, 0], history: [0], ignoreEos: true));
    }

    [Fact]
    public void ARepeatedTokenIsReplacedByOneOfTheOthers()
    {
        // All but certain, so that the others' probabilities underflow beside it.
        float[] logits = [200, 0, -5, 0];
        Assert.Equal(0, Draw(Sampler(), logits, history: [1, 2]));
        for (var position = 0; position < 50; position++)
            Assert.NotEqual(0, Draw(Sampler(), logits, history: [0], position: position));
        Assert.Equal(0, Draw(Sampler(window: 2), logits, history: [0, 1, 2]));
        Assert.Equal(0, Draw(Sampler(threshold: 0.8), logits, history: [0, 0, 0, 0, 0, 0, 0]));
        Assert.NotEqual(0, Draw(Sampler(threshold: 0.8), logits, history: [0, 0, 0, 0, 0, 0, 0, 0]));
    }

    [Fact]
    public void DrawsFollowTheProbabilities()
    {
        float[] logits = [MathF.Log(0.5f), MathF.Log(0.3f), MathF.Log(0.2f)];
        var counts = new int[3];
        var sampler = Sampler(topP: 1);
        for (var position = 0; position < 10_000; position++)
            counts[Draw(sampler, logits, seed: 7, position: position)]++;
        Assert.InRange(counts[0], 4800, 5200);
        Assert.InRange(counts[1], 2800, 3200);
        Assert.InRange(counts[2], 1800, 2200);
    }

    [Fact]
    public void ADrawMayHaveItsOwnWay()
    {
        float[] logits = [MathF.Log(0.5f), MathF.Log(0.3f), MathF.Log(0.2f)];
        var sampler = Sampler(topP: 1);
        int[] Counts(SamplingOptions options, int[]? history = null)
        {
            var counts = new int[3];
            for (var position = 0; position < 10_000; position++)
                counts[Draw(sampler, logits, new TokenDraw(7, position, history ?? [], false, false, options))]++;
            return counts;
        }
        Assert.Equal([10_000, 0, 0], Counts(new() { Temperature = 0 }));
        Assert.Equal([10_000, 0, 0], Counts(new() { TopK = 1 }));
        Assert.Equal([10_000, 0, 0], Counts(new() { TopP = 0.4 }));
        Assert.Equal(0, Counts(new() { TopP = 0.6 })[2]);
        Assert.InRange(Counts(new() { Temperature = 0.5 })[0], 6380, 6780); // 0.25 of 0.25 + 0.09 + 0.04
        Assert.InRange(Counts(new() { Temperature = 2 })[0], 3950, 4350); // 0.707 of 0.707 + 0.548 + 0.447
        // What was just drawn is not drawn again by the model's own rule, and is where the request wants no rule.
        Assert.Equal(0, Counts(new() { Temperature = 0 }, [0])[0]);
        Assert.Equal([0, 10_000, 0], Counts(new() { Temperature = 0 }, [0]));
        Assert.Equal([10_000, 0, 0], Counts(new() { Temperature = 0, RepetitionWindow = 0 }, [0, 0, 0]));
        Assert.Equal([10_000, 0, 0], Counts(new() { Temperature = 0, RepetitionThreshold = 0.5 }, [0, 0, 0, 0]));
        Assert.Equal([0, 10_000, 0], Counts(new() { Temperature = 0, RepetitionThreshold = 0.5 }, [0, 0, 0, 0, 0]));
        // Others beside it are drawn as ever, and more candidates than the model's own fit.
        Assert.InRange(Counts(new())[2], 1800, 2200);
        var even = new float[600];
        Assert.Contains(Enumerable.Range(0, 200), position =>
            Draw(sampler, even, new TokenDraw(7, position, [], false, false, new() { TopK = 600, TopP = 1 })) > 100);
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public void NumbersThatAreNotFiniteFail(float value)
    {
        for (var at = 0; at < 37; at += 12)
        {
            var logits = new float[37];
            logits[at] = value;
            Assert.False(Sampler().TryDraw(logits, new TokenDraw(0, 0, [], IgnoreEos: false), out _));
        }
    }
}
