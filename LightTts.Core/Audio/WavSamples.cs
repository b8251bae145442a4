using System.Buffers.Binary;

namespace LightTts.Audio;

/// <summary>Turns stored samples into mono floats.</summary>
internal static class WavSamples
{
    /// <summary>Decodes whole frames and averages their channels, in single precision as the reference does (soundfile to float32, then the
    /// mean).</summary>
    /// <param name="format">How the bytes are stored.</param>
    /// <param name="bytes">A whole number of frames, little-endian, channels interleaved.</param>
    /// <param name="mono">Room for one sample a frame.</param>
    /// <returns>Whether every decoded sample is finite.</returns>
    public static bool Decode(in WavFormat format, ReadOnlySpan<byte> bytes, Span<float> mono)
    {
        var channels = format.Channels;
        var width = format.BytesPerSample;
        var finite = true;
        for (var frame = 0; frame < mono.Length; frame++)
        {
            var at = frame * format.BlockAlign;
            var sum = 0f;
            for (var channel = 0; channel < channels; channel++, at += width)
                sum += Sample(format.Encoding, width, bytes.Slice(at, width));
            // A NaN or an infinity in any channel survives the sum.
            var mean = sum / channels;
            mono[frame] = mean;
            finite &= float.IsFinite(mean);
        }
        return finite;
    }

    private static float Sample(WavEncoding encoding, int width, ReadOnlySpan<byte> bytes) => (encoding, width) switch
    {
        (WavEncoding.Pcm, 1) => (bytes[0] - 128) / 128f,
        (WavEncoding.Pcm, 2) => BinaryPrimitives.ReadInt16LittleEndian(bytes) / 32768f,
        (WavEncoding.Pcm, 3) => ((sbyte)bytes[2] << 16 | bytes[1] << 8 | bytes[0]) / 8388608f,
        (WavEncoding.Pcm, _) => BinaryPrimitives.ReadInt32LittleEndian(bytes) / 2147483648f,
        (_, 4) => BinaryPrimitives.ReadSingleLittleEndian(bytes),
        _ => (float)BinaryPrimitives.ReadDoubleLittleEndian(bytes),
    };
}
