using LightTts.Audio;

namespace LightTts.Tests.Audio;

/// <summary>The features at the edges of what they take; their values are held to the reference in Golden/.</summary>
public sealed class FeatureEdgeTests
{
    [Theory]
    [InlineData(721, 1)]
    [InlineData(960, 2)]
    [InlineData(1439, 2)]
    [InlineData(24_000, 50)]
    public void Mel_has_one_frame_for_each_whole_hop(int samples, int frames)
    {
        var mel = new MelSpectrogram(1920, 1920, 480, 80, 24_000, 0, null);
        Assert.Equal(frames * 80, mel.Compute(new float[samples], out var actual).Length);
        Assert.Equal(frames, actual);
    }

    [Fact]
    public void Silence_is_the_floor()
    {
        // sqrt(1e-9) through the filters is above or below the floor of 1e-5, by band; never lower.
        Assert.All(new MelSpectrogram(1920, 1920, 480, 80, 24_000, 0, null).Compute(new float[4_800], out _), v =>
            Assert.InRange(v, MathF.Log(1e-5f) - 1e-4f, 0));
        Assert.All(new WhisperLogMel(128).Compute(new float[1_600], out _), v => Assert.Equal(-1.5f, v, 1e-6f)); // (log10(1e-10) + 4) / 4
        Assert.All(new KaldiFbank(80).Compute(new float[1_600], out _), v => Assert.Equal(0f, v));
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(399, 0)]
    [InlineData(400, 1)]
    [InlineData(560, 2)]
    public void Fbank_takes_whole_frames_only(int samples, int frames)
    {
        new KaldiFbank(80).Compute(new float[samples], out var actual);
        Assert.Equal(frames, actual);
    }

    [Fact]
    public void Signals_that_cannot_be_mirrored_are_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new MelSpectrogram(1920, 1920, 480, 80, 24_000, 0, null).Compute(new float[720], out _));
        Assert.Throws<ArgumentOutOfRangeException>(() => new WhisperLogMel(128).Compute(new float[200], out _));
    }

    [Fact]
    public void A_frame_does_not_depend_on_its_neighbours_lanes()
    {
        // Frames are computed four at a time: the same audio at another lane gives the same numbers, to the bit.
        var random = new Random(5);
        var signal = new float[16_000];
        for (var i = 0; i < signal.Length; i++)
            signal[i] = random.NextSingle() - 0.5f;
        var mel = new MelSpectrogram(1920, 1920, 480, 80, 24_000, 0, null);
        var whole = mel.Compute(signal, out var frames);
        var shifted = mel.Compute(signal.AsMemory(480), out _);
        Assert.Equal(whole[(5 * 80)..((frames - 4) * 80)], shifted[(4 * 80)..((frames - 5) * 80)]);
    }
}
