using LightTts.Extensions.Formats;

namespace LightTts.Tests.Extensions.Formats;

/// <summary>Audio to encode, and ways to encode it.</summary>
internal static class Sounds
{
    public static float[] Tone(int samples, int rate = 24_000, double frequency = 440, double level = 0.5) =>
        [.. Enumerable.Range(0, samples).Select(i => (float)(level * Math.Sin(2 * Math.PI * frequency * i / rate)))];

    public static float[] Noise(int samples, float level = 0.9f)
    {
        var random = new Random(7);
        return [.. Enumerable.Range(0, samples).Select(_ => level * (2 * random.NextSingle() - 1))];
    }

    /// <summary>Encodes in pieces of odd sizes.</summary>
    public static async Task<byte[]> Encode(float[] samples, AudioEncoderOptions options, int rate = 24_000, Stream? stream = null)
    {
        stream ??= new MemoryStream();
        await using var encoder = AudioEncoder.Create(stream, rate, options);
        for (int at = 0, size = 1; at < samples.Length; at += size, size = size * 3 % 7919 + 1)
            await encoder.WriteAsync(samples.AsMemory(at, Math.Min(size, samples.Length - at)));
        await encoder.CompleteAsync();
        return stream is MemoryStream memory ? memory.ToArray() : [];
    }

    /// <summary>Signal to noise of what came back, in dB.</summary>
    public static double Snr(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual)
    {
        double signal = 0, noise = 0;
        for (var i = 0; i < expected.Length; i++)
        {
            signal += expected[i] * expected[i];
            noise += (expected[i] - actual[i]) * (expected[i] - actual[i]);
        }
        return 10 * Math.Log10(signal / Math.Max(noise, 1e-20));
    }
}
