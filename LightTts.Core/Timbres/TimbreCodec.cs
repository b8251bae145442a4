using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.IO.Hashing;
using System.Runtime.InteropServices;
using System.Text;

namespace LightTts.Timbres;

/// <summary>The bytes of a voice, in the segment and in <c>.timbre</c> files alike; all
/// numbers little-endian, XxHash3 over everything at the end.</summary>
internal static class TimbreCodec
{
    public const int MaxBytes = 16 << 20;
    private const uint Magic = 0x5254_544C; // "LTTR"
    private const uint Version = 1;
    private const int FixedBytes = 120;
    private const int ChecksumBytes = 8;

    public static byte[] Encode(TimbreRecord record, in TimbreKey extractor, string? name)
    {
        var features = record.Features;
        var transcript = Utf8(record.Transcript);
        var prompt = Utf8(features.PromptText);
        var label = Utf8(name);
        int[] lengths = [transcript?.Length ?? -1, prompt?.Length ?? -1, label?.Length
            ?? -1, features.SpeechTokens.Length, features.MelFrames, features.Mel.Length, features.Embedding.Length, (int)record.Origin];
        var bytes = new byte[checked(FixedBytes + 4 * (lengths[3] + lengths[5] + lengths[6]) + Math.Max(0, lengths[0]) + Math.Max(0, lengths[1])
            + Math.Max(0, lengths[2]) + ChecksumBytes)];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, Magic);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(4), Version);
        record.Key.Write(bytes.AsSpan(8));
        extractor.Write(bytes.AsSpan(40));
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(72), record.Duration.Ticks);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(80), record.CreatedAt.ToUnixTimeMilliseconds());
        MemoryMarshal.AsBytes(lengths.AsSpan()).CopyTo(bytes.AsSpan(88));

        var rest = bytes.AsSpan(FixedBytes);
        Put(ref rest, MemoryMarshal.AsBytes(features.SpeechTokens.AsSpan()));
        Put(ref rest, MemoryMarshal.AsBytes(features.Mel.AsSpan()));
        Put(ref rest, MemoryMarshal.AsBytes(features.Embedding.AsSpan()));
        Put(ref rest, transcript);
        Put(ref rest, prompt);
        Put(ref rest, label);
        BinaryPrimitives.WriteUInt64LittleEndian(rest, Checksum(bytes));
        return bytes;
    }

    /// <summary>The checksum that <paramref name="record"/> should end with.</summary>
    public static ulong Checksum(ReadOnlySpan<byte> record) => XxHash3.HashToUInt64(record[..^ChecksumBytes]);

    /// <summary>The checksum that <paramref name="record"/> ends with.</summary>
    public static ulong StoredChecksum(ReadOnlySpan<byte> record) => BinaryPrimitives.ReadUInt64LittleEndian(record[^ChecksumBytes..]);

    /// <summary>Reads a voice, trusting nothing: every length is checked against the bytes that are there before anything is allocated.</summary>
    public static bool TryDecode(
        ReadOnlySpan<byte> bytes, in TimbreKey extractor, TimbreShape? shape, [NotNullWhen(true)] out TimbreRecord? record, out string? name,
        [NotNullWhen(false)] out string? fault)
    {
        (record, name, fault) = (null, null, null);
        if (bytes.Length < FixedBytes + ChecksumBytes || bytes.Length > MaxBytes || BinaryPrimitives.ReadUInt32LittleEndian(bytes) != Magic)
            return Fail("it is not a voice", out fault);
        if (BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]) is var version && version != Version)
            return Fail($"it has format {version}, this library reads format {Version}", out fault);
        if (StoredChecksum(bytes) != Checksum(bytes))
            return Fail("it is damaged (its checksum does not match)", out fault);
        if (TimbreKey.Read(bytes[40..]) != extractor)
            return Fail("it was made with another model's feature extractors; learn it again from its reference audio", out fault);

        var duration = BinaryPrimitives.ReadInt64LittleEndian(bytes[72..]);
        var created = BinaryPrimitives.ReadInt64LittleEndian(bytes[80..]);
        Span<int> lengths = stackalloc int[8];
        bytes.Slice(88, 32).CopyTo(MemoryMarshal.AsBytes(lengths));
        var total = (long)FixedBytes + ChecksumBytes;
        for (var i = 0; i < 7; i++)
        {
            if (lengths[i] < (i < 3 ? -1 : 0))
                return Fail("it holds a negative length", out fault);
            if (i != 4)
                total += Math.Max(0, lengths[i]) * (i < 3 ? 1L : 4L);
        }
        if (total != bytes.Length || lengths[7] is < 0 or > (int)TimbreOrigin.Preset || duration < 0 || created is < 0 or > 253_402_300_799_000)
            return Fail("its lengths do not add up", out fault);

        var rest = bytes[FixedBytes..^ChecksumBytes];
        var tokens = Take<int>(ref rest, lengths[3]);
        var mel = Take<float>(ref rest, lengths[5]);
        var embedding = Take<float>(ref rest, lengths[6]);
        var transcript = TakeText(ref rest, lengths[0]);
        var features = new TimbreFeatures(TakeText(ref rest, lengths[1]), tokens, mel, lengths[4], embedding);
        name = TakeText(ref rest, lengths[2]);
        fault = TimbreShape.Fault(features, shape);
        if (fault is not null)
            return false;
        record = new TimbreRecord(TimbreKey.Read(bytes[8..]), transcript, TimeSpan.FromTicks(duration),
            DateTimeOffset.FromUnixTimeMilliseconds(created), features,
            (TimbreOrigin)lengths[7]);
        return true;
    }

    private static bool Fail(string reason, out string fault)
    {
        fault = reason;
        return false;
    }

    private static byte[]? Utf8(string? text) => text is null ? null : Encoding.UTF8.GetBytes(text);

    private static void Put(ref Span<byte> rest, ReadOnlySpan<byte> part)
    {
        part.CopyTo(rest);
        rest = rest[part.Length..];
    }

    private static T[] Take<T>(ref ReadOnlySpan<byte> rest, int count) where T : unmanaged
    {
        if (count == 0)
            return [];
        var array = GC.AllocateUninitializedArray<T>(count);
        var bytes = MemoryMarshal.AsBytes(array.AsSpan());
        rest[..bytes.Length].CopyTo(bytes);
        rest = rest[bytes.Length..];
        return array;
    }

    private static string? TakeText(ref ReadOnlySpan<byte> rest, int length)
    {
        if (length < 0)
            return null;
        var text = Encoding.UTF8.GetString(rest[..length]);
        rest = rest[length..];
        return text;
    }
}
