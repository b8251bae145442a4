namespace LightTts.Tests.Extensions.Formats;

/// <summary>A second opinion on FLAC: decodes mono streams of fixed-size blocks, and checks every checksum.</summary>
internal sealed class FlacReader(byte[] bytes)
{
    private int _bit;

    public int Rate { get; private set; }

    public int Bits { get; private set; }

    public List<int> Decode()
    {
        Assert.Equal("fLaC"u8.ToArray(), bytes[..4]);
        _bit = 32;
        Assert.Equal(0x80u, Read(8));
        Assert.Equal(34u, Read(24));
        var blockSize = (int)Read(16);
        Skip(16 + 24 + 24);
        Rate = (int)Read(20);
        Assert.Equal(0u, Read(3));
        Bits = (int)Read(5) + 1;
        Skip(36 + 128);
        List<int> samples = [];
        for (var frame = 0u; _bit / 8 < bytes.Length; frame++)
            DecodeFrame(frame, blockSize, samples);
        return samples;
    }

    private void DecodeFrame(uint frame, int blockSize, List<int> samples)
    {
        var start = _bit / 8;
        Assert.Equal(0xFFF8u, Read(16));
        var sizeCode = Read(4);
        Skip(4 + 4);
        Assert.Equal(Bits == 16 ? 4u : 6u, Read(3));
        Skip(1);
        Assert.Equal(frame, ReadNumber());
        var length = sizeCode == 7 ? (int)Read(16) + 1 : blockSize;
        var crc8 = Crc(bytes.AsSpan(start, _bit / 8 - start), 0x07, 8);
        Assert.Equal(crc8, Read(8));
        DecodeSubframe(length, samples);
        _bit = (_bit + 7) / 8 * 8;
        var crc16 = Crc(bytes.AsSpan(start, _bit / 8 - start), 0x8005, 16);
        Assert.Equal(crc16, Read(16));
    }

    private void DecodeSubframe(int length, List<int> samples)
    {
        var type = Read(8) >> 1;
        var block = new int[length];
        if (type == 0)
            Array.Fill(block, Signed(Bits));
        else if (type == 1)
            for (var i = 0; i < length; i++)
                block[i] = Signed(Bits);
        else
            DecodeFixed((int)type - 8, block);
        samples.AddRange(block);
    }

    private void DecodeFixed(int order, int[] block)
    {
        Assert.InRange(order, 0, 4);
        for (var i = 0; i < order; i++)
            block[i] = Signed(Bits);
        Assert.Equal(0u, Read(2));
        var partitions = 1 << (int)Read(4);
        var at = order;
        for (var partition = 0; partition < partitions; partition++)
        {
            var rice = (int)Read(4);
            for (var end = (partition + 1) * (block.Length / partitions); at < end; at++)
            {
                var folded = 0u;
                while (Read(1) == 0)
                    folded++;
                folded = (folded << rice) | (rice == 0 ? 0 : Read(rice));
                var residual = (int)(folded >> 1) ^ -(int)(folded & 1);
                int Back(int k) => block[at - k];
                block[at] = residual + order switch
                {
                    0 => 0,
                    1 => Back(1),
                    2 => 2 * Back(1) - Back(2),
                    3 => 3 * Back(1) - 3 * Back(2) + Back(3),
                    _ => 4 * Back(1) - 6 * Back(2) + 4 * Back(3) - Back(4),
                };
            }
        }
        Assert.Equal(block.Length, at);
    }

    private uint ReadNumber()
    {
        var lead = Read(8);
        if (lead < 0x80)
            return lead;
        var more = 1;
        while ((lead & (0x40 >> more)) != 0)
            more++;
        var value = lead & (0x3Fu >> more);
        for (var i = 0; i < more; i++)
            value = (value << 6) | (Read(8) & 0x3F);
        return value;
    }

    private int Signed(int bits)
    {
        var value = (int)Read(bits);
        return value << (32 - bits) >> (32 - bits);
    }

    private uint Read(int bits)
    {
        uint value = 0;
        for (var i = 0; i < bits; i++, _bit++)
            value = (value << 1) | (uint)((bytes[_bit / 8] >> (7 - _bit % 8)) & 1);
        return value;
    }

    private void Skip(int bits) => _bit += bits;

    private static uint Crc(ReadOnlySpan<byte> data, uint polynomial, int width)
    {
        uint crc = 0;
        foreach (var value in data)
        {
            crc ^= (uint)value << (width - 8);
            for (var bit = 0; bit < 8; bit++)
                crc = (crc & (1u << (width - 1))) != 0 ? (crc << 1) ^ polynomial : crc << 1;
            crc &= (1u << width) - 1;
        }
        return crc;
    }
}
