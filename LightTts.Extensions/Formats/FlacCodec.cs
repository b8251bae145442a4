using System.Buffers;

namespace LightTts.Extensions.Formats;

/// <summary>FLAC (RFC 9639) of one channel: blocks of one size, the best of the fixed predictors, partitioned Rice codes.</summary>
/// <remarks>The number of samples is not known when the header leaves, so it says so (0); the frames say where the audio ends.</remarks>
internal sealed class FlacCodec(int rate, int bits) : IAudioCodec
{
    /// <summary>85 ms at 24 kHz: short enough to stream, long enough to compress.</summary>
    private const int BlockSize = 2048;

    private readonly int[] _block = new int[BlockSize];
    private readonly FlacBlock _coder = new(BlockSize, bits);
    private readonly FlacBits _bits = new();
    private readonly double _scale = 1 << (bits - 1);
    private int _count;
    private long _frame;
    private bool _begun;

    public ReadOnlyMemory<byte>? FinalHeader => null;

    public void Encode(ReadOnlySpan<float> samples, IBufferWriter<byte> output)
    {
        Begin(output);
        foreach (var sample in samples)
        {
            var scaled = Math.Round((float.IsNaN(sample) ? 0 : sample) * _scale);
            _block[_count++] = (int)Math.Clamp(scaled, -_scale, _scale - 1);
            if (_count == BlockSize)
                WriteFrame(output);
        }
    }

    public void Finish(IBufferWriter<byte> output)
    {
        Begin(output);
        if (_count > 0)
            WriteFrame(output);
    }

    private void Begin(IBufferWriter<byte> output)
    {
        if (_begun)
            return;
        _begun = true;
        output.Write("fLaC"u8);
        _bits.Clear();
        _bits.Write(0x80, 8); // the last metadata block, of type STREAMINFO
        _bits.Write(34, 24);
        _bits.Write(BlockSize, 16);
        _bits.Write(BlockSize, 16);
        _bits.Write(0, 24); // sizes of frames: unknown
        _bits.Write(0, 24);
        _bits.Write((uint)rate, 20);
        _bits.Write(0, 3); // one channel
        _bits.Write((uint)bits - 1, 5);
        _bits.Write(0, 4); // 36 bits of length: unknown
        _bits.Write(0, 32);
        for (var i = 0; i < 4; i++)
            _bits.Write(0, 32); // no MD5 of audio that is not there yet
        output.Write(_bits.Bytes);
    }

    private void WriteFrame(IBufferWriter<byte> output)
    {
        _bits.Clear();
        _bits.Write(0xFFF8, 16); // sync code, blocks of one size
        _bits.Write(_count == BlockSize ? 0b1011u : 0b0111u, 4);
        _bits.Write(0, 4); // the rate is the header's
        _bits.Write(0, 4); // one channel
        _bits.Write(bits == 16 ? 0b100u : 0b110u, 3);
        _bits.Write(0, 1);
        WriteNumber(_frame++);
        if (_count != BlockSize)
            _bits.Write((uint)_count - 1, 16);
        _bits.Write(FlacCrc.Crc8(_bits.Bytes), 8);
        _coder.Write(_block.AsSpan(0, _count), _bits);
        _bits.Align();
        _bits.Write(FlacCrc.Crc16(_bits.Bytes), 16);
        output.Write(_bits.Bytes);
        _count = 0;
    }

    /// <summary>The frame's number, coded as UTF-8 codes code points.</summary>
    private void WriteNumber(long value)
    {
        if (value < 0x80)
        {
            _bits.Write((uint)value, 8);
            return;
        }
        var more = 1;
        while (value >= 1L << (5 * more + 6))
            more++;
        var lead = (0xFFu << (7 - more)) & 0xFF;
        _bits.Write(lead | (uint)(value >> (6 * more)), 8);
        for (var i = more - 1; i >= 0; i--)
            _bits.Write(0x80u | ((uint)(value >> (6 * i)) & 0x3F), 8);
    }
}
