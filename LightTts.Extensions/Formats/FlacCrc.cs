namespace LightTts.Extensions.Formats;

/// <summary>The checksums of FLAC frames.</summary>
internal static class FlacCrc
{
    private static readonly ushort[] Table16 = CreateTable16();

    /// <summary>x^8 + x^2 + x + 1, from 0.</summary>
    public static byte Crc8(ReadOnlySpan<byte> bytes)
    {
        uint crc = 0;
        foreach (var value in bytes)
        {
            crc ^= value;
            for (var bit = 0; bit < 8; bit++)
                crc = (crc & 0x80) != 0 ? (crc << 1) ^ 0x07 : crc << 1;
        }
        return (byte)crc;
    }

    /// <summary>x^16 + x^15 + x^2 + 1, from 0.</summary>
    public static ushort Crc16(ReadOnlySpan<byte> bytes)
    {
        ushort crc = 0;
        foreach (var value in bytes)
            crc = (ushort)((crc << 8) ^ Table16[(crc >> 8) ^ value]);
        return crc;
    }

    private static ushort[] CreateTable16()
    {
        var table = new ushort[256];
        for (var i = 0; i < table.Length; i++)
        {
            var crc = i << 8;
            for (var bit = 0; bit < 8; bit++)
                crc = (crc & 0x8000) != 0 ? (crc << 1) ^ 0x8005 : crc << 1;
            table[i] = (ushort)crc;
        }
        return table;
    }
}
