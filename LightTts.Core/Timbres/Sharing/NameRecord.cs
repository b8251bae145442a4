using System.Buffers.Binary;
using System.Text;

namespace LightTts.Timbres.Sharing;

/// <summary>What the segment keeps about a name: the voice's key (all zero: removed), the name itself, XxHash3 over both.</summary>
internal static class NameRecord
{
    private const int ChecksumBytes = 8;

    public const int MaxBytes = TimbreKey.Bytes + 4 * TimbreName.MaxLength + ChecksumBytes;

    public static byte[] Encode(string name, in TimbreKey target)
    {
        var bytes = new byte[TimbreKey.Bytes + Encoding.UTF8.GetByteCount(name) + ChecksumBytes];
        target.Write(bytes);
        Encoding.UTF8.GetBytes(name, bytes.AsSpan(TimbreKey.Bytes));
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(bytes.Length - ChecksumBytes), TimbreCodec.Checksum(bytes));
        return bytes;
    }

    public static bool TryDecode(ReadOnlySpan<byte> bytes, out string name, out TimbreKey target)
    {
        (name, target) = ("", default);
        if (bytes.Length is <= TimbreKey.Bytes + ChecksumBytes or > MaxBytes || TimbreCodec.Checksum(bytes) != TimbreCodec.StoredChecksum(bytes))
            return false;
        target = TimbreKey.Read(bytes);
        name = Encoding.UTF8.GetString(bytes[TimbreKey.Bytes..^ChecksumBytes]);
        return true;
    }
}
