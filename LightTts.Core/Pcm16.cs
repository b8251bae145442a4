using System.Runtime.InteropServices;

namespace LightTts;

/// <summary>Turns samples into 16-bit PCM: signed integers, little-endian, as sound cards, telephony and most players take them.</summary>
/// <remarks>
/// One scale everywhere in LightTts: a sample is multiplied by 32,768, rounded to the
/// nearest step and clipped, the inverse of how WAV files are read. NaN becomes
/// silence. Safe for concurrent use.
/// </remarks>
public static class Pcm16
{
    private const float Scale = 32_768;

    /// <summary>Bytes that one sample takes: 2.</summary>
    public const int BytesPerSample = sizeof(short);

    /// <summary>Writes samples as 16-bit PCM.</summary>
    /// <param name="samples">Mono samples, nominally in [-1, 1].</param>
    /// <param name="destination">Takes <see cref="BytesPerSample"/> bytes for each sample.</param>
    /// <returns>The number of bytes that were written.</returns>
    /// <exception cref="ArgumentException"><paramref name="destination"/> is too short.</exception>
    public static int Encode(ReadOnlySpan<float> samples, Span<byte> destination)
    {
        var bytes = samples.Length * BytesPerSample;
        if (destination.Length < bytes)
            throw new ArgumentException($"{samples.Length} samples take {bytes} bytes, the destination has {destination.Length}.",
            nameof(destination));
        var pcm = MemoryMarshal.Cast<byte, short>(destination[..bytes]);
        for (var i = 0; i < samples.Length; i++)
        {
            var scaled = MathF.Round(samples[i] * Scale);
            var step = float.IsNaN(scaled) ? (short)0 : (short)Math.Clamp(scaled, short.MinValue, short.MaxValue);
            pcm[i] = BitConverter.IsLittleEndian ? step : System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(step);
        }
        return bytes;
    }

    /// <summary>Samples as 16-bit PCM.</summary>
    /// <param name="samples">Mono samples, nominally in [-1, 1].</param>
    /// <returns>Their bytes.</returns>
    public static byte[] Encode(ReadOnlySpan<float> samples)
    {
        var bytes = new byte[samples.Length * BytesPerSample];
        Encode(samples, bytes);
        return bytes;
    }
}
