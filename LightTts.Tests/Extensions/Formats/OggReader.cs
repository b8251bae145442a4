using System.Buffers.Binary;
using Concentus;

namespace LightTts.Tests.Extensions.Formats;

/// <summary>A second opinion on Ogg Opus: takes pages apart, checks them, and decodes the packets.</summary>
internal static class OggReader
{
    public static (List<byte[]> Packets, long LastPosition, int Pages) Packets(ReadOnlySpan<byte> bytes)
    {
        List<byte[]> packets = [];
        long position = 0;
        var number = 0;
        var ended = false;
        while (!bytes.IsEmpty)
        {
            Assert.False(ended, "there are pages behind the last one");
            Assert.True(bytes.StartsWith("OggS"u8));
            Assert.Equal(number == 0, (bytes[5] & 2) != 0);
            ended = (bytes[5] & 4) != 0;
            var next = BinaryPrimitives.ReadInt64LittleEndian(bytes[6..]);
            Assert.True(next >= position);
            position = next;
            Assert.Equal(number++, BinaryPrimitives.ReadInt32LittleEndian(bytes[18..]));
            var segments = bytes.Slice(27, bytes[26]);
            var at = 27 + segments.Length;
            List<byte> packet = [];
            foreach (var segment in segments)
            {
                packet.AddRange(bytes.Slice(at, segment));
                at += segment;
                if (segment == 255)
                    continue;
                packets.Add([.. packet]);
                packet.Clear();
            }
            Assert.Empty(packet);
            var page = bytes[..at].ToArray();
            page.AsSpan(22, 4).Clear();
            Assert.Equal(BinaryPrimitives.ReadUInt32LittleEndian(bytes[22..]), Crc(page));
            bytes = bytes[at..];
        }
        Assert.True(ended, "no page says that it is the last");
        return (packets, position, number);
    }

    public static float[] Decode(byte[] bytes, int rate)
    {
        var (packets, end, _) = Packets(bytes);
        Assert.True(packets[0].AsSpan().StartsWith("OpusHead"u8));
        Assert.True(packets[1].AsSpan().StartsWith("OpusTags"u8));
        var skip = BinaryPrimitives.ReadUInt16LittleEndian(packets[0].AsSpan(10));
        var decoder = OpusCodecFactory.CreateDecoder(rate, 1);
        List<float> samples = [];
        var frame = new float[rate / 50];
        foreach (var packet in packets.Skip(2))
        {
            Assert.Equal(frame.Length, decoder.Decode(packet, frame, frame.Length, false));
            samples.AddRange(frame);
        }
        var clock = 48_000 / rate;
        return samples.ToArray()[(skip / clock)..(int)(end / clock)];
    }

    private static uint Crc(ReadOnlySpan<byte> bytes)
    {
        uint crc = 0;
        foreach (var value in bytes)
        {
            crc ^= (uint)value << 24;
            for (var bit = 0; bit < 8; bit++)
                crc = (crc & 0x8000_0000) != 0 ? (crc << 1) ^ 0x04C1_1DB7 : crc << 1;
        }
        return crc;
    }
}
