using System.Buffers.Binary;

namespace LightTts.Audio;

/// <summary>The bytes before and of a written WAV file's samples.</summary>
internal static class WavHeader
{
    private const int PcmLength = 44;
    private const int FloatLength = 58;

    /// <summary>A mono header whose sizes say "unknown".</summary>
    public static byte[] Create(WavSampleFormat format, int sampleRate)
    {
        var isFloat = format is WavSampleFormat.Float32;
        var width = isFloat ? sizeof(float) : sizeof(short);
        var header = new byte[isFloat ? FloatLength : PcmLength];
        var span = header.AsSpan();
        "RIFF"u8.CopyTo(span);
        "WAVEfmt "u8.CopyTo(span[8..]);
        BinaryPrimitives.WriteInt32LittleEndian(span[16..], isFloat ? 18 : 16);
        BinaryPrimitives.WriteInt16LittleEndian(span[20..], (short)(isFloat ? 3 : 1));
        BinaryPrimitives.WriteInt16LittleEndian(span[22..], 1);
        BinaryPrimitives.WriteInt32LittleEndian(span[24..], sampleRate);
        BinaryPrimitives.WriteUInt32LittleEndian(span[28..], (uint)Math.Min((long)sampleRate * width, uint.MaxValue));
        BinaryPrimitives.WriteInt16LittleEndian(span[32..], (short)width);
        BinaryPrimitives.WriteInt16LittleEndian(span[34..], (short)(width * 8));
        if (isFloat)
        {
            // Formats other than PCM have an (empty) extension and a "fact" chunk with the number of samples.
            "fact"u8.CopyTo(span[38..]);
            BinaryPrimitives.WriteInt32LittleEndian(span[42..], 4);
            BinaryPrimitives.WriteUInt32LittleEndian(span[46..], uint.MaxValue);
        }
        "data"u8.CopyTo(span[^8..]);
        BinaryPrimitives.WriteUInt32LittleEndian(span[4..], uint.MaxValue);
        BinaryPrimitives.WriteUInt32LittleEndian(span[^4..], uint.MaxValue);
        return header;
    }

    /// <summary>Fills in the sizes. What does not fit 32 bits stays "unknown".</summary>
    public static void SetSizes(Span<byte> header, WavSampleFormat format, long samples)
    {
        var isFloat = format is WavSampleFormat.Float32;
        var data = samples * (isFloat ? sizeof(float) : sizeof(short));
        BinaryPrimitives.WriteUInt32LittleEndian(header[4..], (uint)Math.Min(header.Length - 8 + data, uint.MaxValue));
        BinaryPrimitives.WriteUInt32LittleEndian(header[^4..], (uint)Math.Min(data, uint.MaxValue));
        if (isFloat)
            BinaryPrimitives.WriteUInt32LittleEndian(header[46..], (uint)Math.Min(samples, uint.MaxValue));
    }
}
