using System.Buffers.Binary;
using System.Text;

namespace LightTts.Timbres.Durable;

/// <summary>What the folder keeps about a name: the voice's key and what a list says
/// about it, so that a list reads no voices. XxHash3 over all of it at the end.</summary>
internal static class DurableName
{
    public const int MaxBytes = 16 << 10;
    private const uint Magic = 0x4E54_544C; // "LTTN"
    private const uint Version = 1;
    private const int FixedBytes = 76;
    private const int ChecksumBytes = 8;

    public static byte[] Encode(string name, TimbreRecord record, int voiceBytes)
    {
        var label = Encoding.UTF8.GetBytes(name);
        var transcript = record.Transcript is null ? null : Encoding.UTF8.GetBytes(record.Transcript);
        var bytes = new byte[FixedBytes + label.Length + (transcript?.Length ?? 0) + ChecksumBytes];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, Magic);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(4), Version);
        record.Key.Write(bytes.AsSpan(8));
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(40), record.Duration.Ticks);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(48), record.CreatedAt.ToUnixTimeMilliseconds());
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(56), (int)record.Origin);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(60), voiceBytes);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(64), label.Length);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(68), transcript?.Length ?? -1);
        label.CopyTo(bytes, FixedBytes);
        transcript?.CopyTo(bytes, FixedBytes + label.Length);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(bytes.Length - ChecksumBytes), TimbreCodec.Checksum(bytes));
        return bytes;
    }

    public static bool TryDecode(ReadOnlySpan<byte> bytes, out string name, out TierEntry? entry)
    {
        (name, entry) = ("", null);
        if (bytes.Length is < FixedBytes + ChecksumBytes or > MaxBytes || BinaryPrimitives.ReadUInt32LittleEndian(bytes) != Magic
            || BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]) != Version || TimbreCodec.StoredChecksum(bytes) != TimbreCodec.Checksum(bytes))
            return false;
        var (label, transcript) = (BinaryPrimitives.ReadInt32LittleEndian(bytes[64..]), BinaryPrimitives.ReadInt32LittleEndian(bytes[68..]));
        var (duration, created) = (BinaryPrimitives.ReadInt64LittleEndian(bytes[40..]), BinaryPrimitives.ReadInt64LittleEndian(bytes[48..]));
        if (label < 0 || transcript < -1 || (long)FixedBytes + label + Math.Max(0, transcript) + ChecksumBytes != bytes.Length || duration < 0
            || created is < 0 or > 253_402_300_799_000)
            return false;
        name = Encoding.UTF8.GetString(bytes.Slice(FixedBytes, label));
        entry = new TierEntry(
            TimbreKey.Read(bytes[8..]), transcript < 0 ? null
            : Encoding.UTF8.GetString(bytes.Slice(FixedBytes + label, transcript)), TimeSpan.FromTicks(duration),
            DateTimeOffset.FromUnixTimeMilliseconds(created), (TimbreOrigin)BinaryPrimitives.ReadInt32LittleEndian(bytes[56..]),
            BinaryPrimitives.ReadInt32LittleEndian(bytes[60..]),
            false, [name]);
        return TimbreName.IsValid(name);
    }
}
