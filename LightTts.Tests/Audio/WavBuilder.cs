using System.Buffers.Binary;
using System.Text;

namespace LightTts.Tests.Audio;

/// <summary>Makes WAV files byte by byte, right and wrong ones.</summary>
internal sealed class WavBuilder
{
    private readonly MemoryStream _bytes = new();

    public static byte[] Pcm16(int frames = 8_000, int rate = 16_000, int channels = 1) =>
        new WavBuilder().Riff().Fmt(1, channels, rate, 16).Chunk("data", Sine(frames, channels)).ToArray();

    /// <summary>Interleaved 16-bit samples, audible and different in each channel.</summary>
    public static byte[] Sine(int frames, int channels = 1)
    {
        var bytes = new byte[frames * channels * 2];
        for (var i = 0; i < frames; i++)
            for (var c = 0; c < channels; c++)
                BinaryPrimitives.WriteInt16LittleEndian(bytes.AsSpan((i * channels + c) * 2), (short)(10_000 * Math.Sin(i * 0.07 * (c + 1))));
        return bytes;
    }

    public static byte[] Floats(params float[] samples)
    {
        var bytes = new byte[samples.Length * 4];
        Buffer.BlockCopy(samples, 0, bytes, 0, bytes.Length);
        return bytes;
    }

    public WavBuilder Riff(string magic = "RIFF", uint? size = null, string form = "WAVE") => Ascii(magic).U32(size ?? 0x00FFFFFF).Ascii(form);

    public WavBuilder Fmt(int tag, int channels, uint rate, int bits, int? blockAlign = null, uint size = 16) =>
        Ascii("fmt ").U32(size).U16(tag).U16(channels).U32(rate).U32(0).U16(blockAlign ?? channels * bits / 8).U16(bits);

    public WavBuilder Fmt(int tag, int channels, int rate, int bits, int? blockAlign = null, uint size = 16) =>
        Fmt(tag, channels, (uint)rate, bits, blockAlign, size);

    public WavBuilder Extensible(int subTag, int channels, int rate, int bits, byte[]? tail = null) =>
        Fmt(0xFFFE, channels, rate, bits, size: 40).U16(22).U16(bits).U32(0).U16(subTag)
            .Raw(tail ?? [0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xAA, 0, 0x38, 0x9B, 0x71]);

    public WavBuilder Chunk(string id, byte[] content, uint? size = null, bool pad = true)
    {
        Ascii(id).U32(size ?? (uint)content.Length).Raw(content);
        return pad && content.Length % 2 == 1 ? Raw([0]) : this;
    }

    public WavBuilder Ascii(string text) => Raw(Encoding.ASCII.GetBytes(text));

    public WavBuilder U16(int value) => Raw([(byte)value, (byte)(value >> 8)]);

    public WavBuilder U32(uint value) => Raw([(byte)value, (byte)(value >> 8), (byte)(value >> 16), (byte)(value >> 24)]);

    public WavBuilder Raw(byte[] bytes)
    {
        _bytes.Write(bytes);
        return this;
    }

    public byte[] ToArray() => _bytes.ToArray();
}
