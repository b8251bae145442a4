using System.Buffers.Binary;

namespace LightTts.Samples.Server.Seed;

/// <summary>The seed system's samples: times 32768, cut off towards zero, 16 bits, little-endian.</summary>
internal static class SeedPcm
{
    public static byte[] Bytes(ReadOnlySpan<float> samples)
    {
        var bytes = new byte[samples.Length * sizeof(short)];
        for (var i = 0; i < samples.Length; i++)
            BinaryPrimitives.WriteInt16LittleEndian(bytes.AsSpan(i * sizeof(short)),
            (short)Math.Clamp(samples[i] * 32768f, short.MinValue, short.MaxValue));
        return bytes;
    }
}
