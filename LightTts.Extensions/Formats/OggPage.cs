using System.Buffers;
using System.Buffers.Binary;

namespace LightTts.Extensions.Formats;

/// <summary>The pages of one logical Ogg stream (RFC 3533) whose packets never span pages.</summary>
internal sealed class OggPage(int serial)
{
    private const int HeadBytes = 27;
    private const int MaxSegments = 255;

    private static readonly uint[] CrcTable = CreateCrcTable();

    private readonly byte[] _segments = new byte[MaxSegments];
    private readonly ArrayBufferWriter<byte> _body = new();
    private int _segmentCount;
    private int _number;

    public bool HasRoom(int packet) => _segmentCount + packet / 255 + 1 <= MaxSegments;

    public void Add(ReadOnlySpan<byte> packet)
    {
        _body.Write(packet);
        for (var left = packet.Length; ; left -= 255)
        {
            _segments[_segmentCount++] = (byte)Math.Min(left, 255);
            if (left < 255)
                return;
        }
    }

    /// <summary>Writes the page, where it holds a packet.</summary>
    /// <param name="position">The position at the end of its last packet.</param>
    /// <param name="output">Where it goes.</param>
    /// <param name="last">Whether the stream ends with it.</param>
    public void Flush(long position, IBufferWriter<byte> output, bool last = false)
    {
        if (_segmentCount == 0)
            return;
        var length = HeadBytes + _segmentCount + _body.WrittenCount;
        var page = output.GetSpan(length)[..length];
        page[..HeadBytes].Clear();
        "OggS"u8.CopyTo(page);
        page[5] = (byte)((_number == 0 ? 2 : 0) | (last ? 4 : 0));
        BinaryPrimitives.WriteInt64LittleEndian(page[6..], position);
        BinaryPrimitives.WriteInt32LittleEndian(page[14..], serial);
        BinaryPrimitives.WriteInt32LittleEndian(page[18..], _number++);
        page[26] = (byte)_segmentCount;
        _segments.AsSpan(0, _segmentCount).CopyTo(page[HeadBytes..]);
        _body.WrittenSpan.CopyTo(page[(HeadBytes + _segmentCount)..]);
        BinaryPrimitives.WriteUInt32LittleEndian(page[22..], Crc(page));
        output.Advance(length);
        _segmentCount = 0;
        _body.ResetWrittenCount();
    }

    /// <summary>CRC-32 with the usual polynomial, but not reflected, from 0.</summary>
    private static uint Crc(ReadOnlySpan<byte> bytes)
    {
        uint crc = 0;
        foreach (var value in bytes)
            crc = (crc << 8) ^ CrcTable[(crc >> 24) ^ value];
        return crc;
    }

    private static uint[] CreateCrcTable()
    {
        var table = new uint[256];
        for (uint i = 0; i < table.Length; i++)
        {
            var crc = i << 24;
            for (var bit = 0; bit < 8; bit++)
                crc = (crc & 0x8000_0000) != 0 ? (crc << 1) ^ 0x04C1_1DB7 : crc << 1;
            table[i] = crc;
        }
        return table;
    }
}
