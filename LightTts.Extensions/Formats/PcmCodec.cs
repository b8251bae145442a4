using System.Buffers;
using System.Buffers.Binary;

namespace LightTts.Extensions.Formats;

/// <summary>Bare samples, with the header of a WAV file before them where that is wanted.</summary>
internal sealed class PcmCodec(int rate, PcmSampleFormat format, bool header) : IAudioCodec
{
    private const int HeaderBytes = 44;

    private readonly int _width = format switch { PcmSampleFormat.UInt8 => 1, PcmSampleFormat.Int16 => 2, PcmSampleFormat.Int24 => 3, _ => 4 };
    private long _samples;
    private bool _begun;

    public ReadOnlyMemory<byte>? FinalHeader => header ? CreateHeader(_samples * _width) : null;

    public void Encode(ReadOnlySpan<float> samples, IBufferWriter<byte> output)
    {
        Begin(output);
        var bytes = output.GetSpan(samples.Length * _width)[..(samples.Length * _width)];
        if (format == PcmSampleFormat.Int16)
            Pcm16.Encode(samples, bytes);
        else
            for (var i = 0; i < samples.Length; i++)
                Store(samples[i], bytes.Slice(i * _width, _width));
        output.Advance(bytes.Length);
        _samples += samples.Length;
    }

    public void Finish(IBufferWriter<byte> output) => Begin(output);

    private void Begin(IBufferWriter<byte> output)
    {
        if (!_begun && header)
            output.Write(CreateHeader(null));
        _begun = true;
    }

    private void Store(float sample, Span<byte> bytes)
    {
        if (float.IsNaN(sample))
            sample = 0;
        switch (format)
        {
            case PcmSampleFormat.UInt8:
                bytes[0] = (byte)Math.Clamp(MathF.Round(sample * 128f) + 128, 0, 255);
                break;
            case PcmSampleFormat.Int24:
                var value = (int)Math.Clamp(Math.Round(sample * 8388608.0), -8388608, 8388607);
                bytes[0] = (byte)value;
                bytes[1] = (byte)(value >> 8);
                bytes[2] = (byte)(value >> 16);
                break;
            case PcmSampleFormat.Int32:
                BinaryPrimitives.WriteInt32LittleEndian(bytes, (int)Math.Clamp(Math.Round(sample * 2147483648.0), int.MinValue, int.MaxValue));
                break;
            default:
                BinaryPrimitives.WriteSingleLittleEndian(bytes, sample);
                break;
        }
    }

    /// <summary>The header; without a length its sizes say "until the end".</summary>
    private byte[] CreateHeader(long? dataBytes)
    {
        var bytes = new byte[HeaderBytes];
        var span = bytes.AsSpan();
        var data = dataBytes is { } known && known <= uint.MaxValue - HeaderBytes ? (uint)known : uint.MaxValue;
        "RIFF"u8.CopyTo(span);
        BinaryPrimitives.WriteUInt32LittleEndian(span[4..], data == uint.MaxValue ? data : data + HeaderBytes - 8);
        "WAVEfmt "u8.CopyTo(span[8..]);
        BinaryPrimitives.WriteInt32LittleEndian(span[16..], 16);
        BinaryPrimitives.WriteInt16LittleEndian(span[20..], (short)(format == PcmSampleFormat.Float32 ? 3 : 1));
        BinaryPrimitives.WriteInt16LittleEndian(span[22..], 1);
        BinaryPrimitives.WriteInt32LittleEndian(span[24..], rate);
        BinaryPrimitives.WriteInt32LittleEndian(span[28..], rate * _width);
        BinaryPrimitives.WriteInt16LittleEndian(span[32..], (short)_width);
        BinaryPrimitives.WriteInt16LittleEndian(span[34..], (short)(_width * 8));
        "data"u8.CopyTo(span[36..]);
        BinaryPrimitives.WriteUInt32LittleEndian(span[40..], data);
        return bytes;
    }
}
