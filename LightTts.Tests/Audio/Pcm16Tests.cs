namespace LightTts.Tests.Audio;

public class Pcm16Tests
{
    /// <summary>One scale for all ways out, so that the same audio has the same bytes.</summary>
    [Fact]
    public void Every_way_to_16_bits_gives_the_same_bytes()
    {
        var samples = Enumerable.Range(0, 5000).Select(i => MathF.Sin(0.01f * i) * 1.1f).Append(float.NaN).ToArray();
        var clip = new AudioClip(samples, 24_000);
        var expected = clip.ToWav()[44..];
        Assert.Equal(expected, Pcm16.Encode(samples));
        Assert.Equal(expected, clip.ToPcm16());
        var chunk = new AudioChunk
        {
            Samples = samples, SampleRate = 24_000, Index = 0, Start = default, SentenceIndex = 0, TextRange = .., SpeechTokens = default,
                Elapsed = default, IsLast = true,
        };
        Assert.Equal(expected, chunk.ToPcm16());
        var buffer = new byte[2 * samples.Length + 3];
        Assert.Equal(2 * samples.Length, Pcm16.Encode(samples, buffer.AsSpan(1)));
        Assert.Equal(expected, buffer[1..^2]);
    }

    [Fact]
    public void Little_endian_rounded_and_clipped()
    {
        Assert.Equal([0x00, 0x40, 0xFF, 0x7F, 0x00, 0x80, 0x01, 0x00, 0x00, 0x00], Pcm16.Encode([0.5f, 1.5f, -1f, 0.6f / 32768, float.NaN]));
        Assert.Contains("2 samples take 4 bytes", Assert.Throws<ArgumentException>(() => Pcm16.Encode([0, 0], new byte[3])).Message);
    }
}
