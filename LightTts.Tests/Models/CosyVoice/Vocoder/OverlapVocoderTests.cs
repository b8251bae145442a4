using LightTts.Models.CosyVoice.Vocoder;
using LightTts.Tests.Support;
using static TorchSharp.torch;

namespace LightTts.Tests.Models.CosyVoice.Vocoder;

/// <summary>Laws of the vocoder whose calls overlap: nothing is lost, company changes nothing, and what it keeps does not grow.</summary>
public sealed class OverlapVocoderTests
{
    [Theory]
    [InlineData(60, new[] { 60 })]
    [InlineData(60, new[] { 20, 20, 20 })]
    [InlineData(60, new[] { 3, 5, 1, 30, 21 })] // the first three together are not more than what is withheld
    [InlineData(60, new[] { 30, 30, 0 })] // an end that brings no frames
    [InlineData(5, new[] { 5 })]
    [InlineData(5, new[] { 5, 0 })]
    public void Every_frame_becomes_its_samples_however_they_come(int frames, int[] pieces)
    {
        using var scope = NewDisposeScope();
        using var vocoder = Vocoders.Golden2();
        var samples = Speak(vocoder, Mel(1, frames), pieces);
        Assert.Equal(frames * vocoder.SamplesPerFrame, samples.Length);
        Assert.All(samples, sample => Assert.InRange(sample, -0.99f, 0.99f));
        Assert.True(samples.Max(MathF.Abs) > 1e-3f);
    }

    /// <summary>Where a pass ends says nothing; where the mel's pieces end does.</summary>
    [Fact]
    public void How_many_pieces_come_at_once_changes_nothing()
    {
        using var scope = NewDisposeScope();
        using var vocoder = Vocoders.Golden2(asReference: false);
        var (mel, pieces) = (Mel(3, 180), new MelPieces(30, 50));
        var expected = Speak(vocoder, mel, [30, 50, 50, 50], pieces);
        Assert.Equal(180 * vocoder.SamplesPerFrame, expected.Length);
        foreach (var cut in (int[][])[[180], [80, 100], [30, 100, 50, 0], [130, 50], [1, 30, 99, 20, 30]])
            Assert.Equal(expected, Speak(vocoder, mel, cut, pieces));
        Assert.NotEqual(expected, Speak(vocoder, mel, [180]));
    }

    /// <summary>A tile sees as much beside it as its layers look at.</summary>
    [Theory]
    [InlineData(10)]
    [InlineData(37)]
    public void A_mel_in_tiles_is_the_mel_in_one(int tile)
    {
        using var scope = NewDisposeScope();
        using var vocoder = Vocoders.Golden2();
        var mel = Mel(4, 210);
        vocoder.TileFrames = 1000;
        var expected = Speak(vocoder, mel, [210]);
        vocoder.TileFrames = tile;
        var actual = Speak(vocoder, mel, [210]);
        // Convolutions of other lengths add up in another order, by processors without AVX-512 a little more so.
        Assert.InRange(Vocoders.MaxDifference(expected, actual), 0, 3e-6f);
        vocoder.Margin /= 3;
        Assert.True(Vocoders.MaxDifference(expected, Speak(vocoder, mel, [210])) > 3e-6f, "a third of the margin would do");
    }

    [Fact]
    public void What_it_keeps_does_not_grow_and_goes_with_the_end()
    {
        using var scope = NewDisposeScope();
        using var vocoder = Vocoders.Golden2();
        using var state = vocoder.CreateState();
        List<long> kept = [];
        for (var call = 0; call < 4; call++)
        {
            vocoder.Begin([new VocoderRow { State = state, Mel = Mel(call, 30), Final = call == 3 }]).Finish();
            kept.Add(state.CacheBytes);
        }
        Assert.Equal([kept[0], kept[0], kept[0], 0], kept);
        var late = new VocoderRow { State = state, Mel = Mel(1, 10), Final = true };
        vocoder.Begin([late]).Finish();
        Assert.IsType<InvalidOperationException>(late.Error);
    }

    [Fact]
    public void Rows_in_company_are_what_they_are_alone_and_a_bad_one_fails_alone()
    {
        using var scope = NewDisposeScope();
        using var vocoder = Vocoders.Golden2();
        int[] lengths = [20, 30, 20, 14];
        VocoderRow[] Rows(int call) => [.. lengths.Select((frames, i) => new VocoderRow
        {
            State = vocoder.CreateState(), Mel = Mel(10 * call + i, frames), Final = false,
        })];
        var (alone, company) = (Rows(0), Rows(0));
        foreach (var row in alone)
            vocoder.Begin([row]).Finish();
        var bad = new VocoderRow { State = vocoder.CreateState(), Mel = zeros(1, 79, 20), Final = false };
        vocoder.Begin([bad, .. company]).Finish();
        Assert.IsType<ArgumentException>(bad.Error);
        for (var call = 0; call < 2; call++)
        {
            foreach (var (a, b) in alone.Zip(company))
            {
                Assert.Null(b.Error);
                Assert.NotEmpty(b.Samples);
                Assert.InRange(Vocoders.MaxDifference(a.Samples, b.Samples), 0, 2e-5f);
            }
            // Once more, with what they carry.
            alone = [.. alone.Select((row, i) => new VocoderRow { State = row.State, Mel = Mel(50 + i, lengths[i]), Final = true })];
            company = [.. company.Select((row, i) => new VocoderRow { State = row.State, Mel = Mel(50 + i, lengths[i]), Final = true })];
            foreach (var row in alone)
                vocoder.Begin([row]).Finish();
            vocoder.Begin(company).Finish();
        }
    }

    [Fact]
    public void The_noise_is_normally_distributed_and_always_the_same()
    {
        var (first, second) = (new float[100_001], new float[100_001]);
        VocoderNoise.Normal().Next(first);
        var noise = VocoderNoise.Normal();
        noise.Next(second.AsSpan(0, 7));
        noise.Next(second.AsSpan(7));
        Assert.Equal(first, second);
        Assert.InRange(first.Average(), -0.02, 0.02);
        Assert.InRange(Math.Sqrt(first.Average(x => (double)x * x)), 0.98, 1.02);
        Assert.InRange(first.Count(x => MathF.Abs(x) < 1) / 100_001.0, 0.67, 0.70);
    }

    private static float[] Speak(OverlapVocoder vocoder, Tensor mel, int[] pieces, MelPieces ends = default)
    {
        using var state = vocoder.CreateState(ends);
        List<float> samples = [];
        var at = 0;
        for (var i = 0; i < pieces.Length; at += pieces[i++])
        {
            var row = new VocoderRow { State = state, Mel = mel.narrow(2, at, pieces[i]), Final = i == pieces.Length - 1 };
            vocoder.Begin([row]).Finish();
            Assert.Null(row.Error);
            samples.AddRange(row.Samples);
        }
        return [.. samples];
    }

    private static Tensor Mel(int seed, int frames)
    {
        using var generator = new TorchSharp.torch.Generator((ulong)seed, CPU);
        return randn(1, 80, frames, generator: generator);
    }
}
