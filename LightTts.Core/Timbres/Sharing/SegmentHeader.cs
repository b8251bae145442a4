using System.IO.Hashing;
using System.Runtime.InteropServices;

namespace LightTts.Timbres.Sharing;

/// <summary>The first bytes of a segment. Written once, before the file gets its name, and never changed.</summary>
/// <remarks>
/// A segment is: a page with this header and two counters, a hash table of
/// <see cref="SegmentSlot"/>s, records one after the other. Records are only ever appended;
/// a full segment is replaced as a whole by a compacted copy. So nothing that a reader can see is ever written to again.
/// </remarks>
[StructLayout(LayoutKind.Sequential)]
internal struct SegmentHeader
{
    public const int PageBytes = 4096;

    /// <summary>Where the counters are, each on a cache line of its own.</summary>
    public const int RetiredOffset = 128, ClockOffset = 192;

    private const ulong ExpectedMagic = 0x4745_5354_4C49_474CUL; // "LGILTSEG"
    private const uint ExpectedByteOrder = 0x0102_0304;
    private const long BytesPerSlot = 8192;
    private const int MinSlots = 256;

    public ulong Magic;
    public uint Version;
    public uint ByteOrder;
    public float FloatMark;
    public uint SlotBytes;
    public uint SlotCount;
    public uint Reserved;
    public long FileBytes;
    public long DataOffset;
    public TimbreKey Owner;
    public ulong Checksum;

    public const uint CurrentVersion = 1;

    /// <summary>The header of a new segment.</summary>
    public static SegmentHeader Create(long fileBytes, in TimbreKey owner)
    {
        var header = new SegmentHeader
        {
            Magic = ExpectedMagic, Version = CurrentVersion, ByteOrder = ExpectedByteOrder, FloatMark = 1f, SlotBytes = SegmentSlot.Bytes,
            SlotCount = (uint)SlotsFor(fileBytes), FileBytes = fileBytes, DataOffset = DataOffsetFor(fileBytes), Owner = owner,
        };
        header.Checksum = header.ComputeChecksum();
        return header;
    }

    public static int SlotsFor(long fileBytes) =>
        (int)System.Numerics.BitOperations.RoundUpToPowerOf2((ulong)Math.Max(MinSlots, fileBytes / BytesPerSlot));

    public static long DataOffsetFor(long fileBytes) => PageBytes + (long)SlotsFor(fileBytes) * SegmentSlot.Bytes;

    /// <summary>Why a segment with this header cannot be used here, or null where it can.</summary>
    public readonly string? Fault(long fileBytes, in TimbreKey owner)
    {
        if (Magic != ExpectedMagic)
            return "it is not a segment of voices";
        if (ByteOrder != ExpectedByteOrder || FloatMark != 1f)
            return "it was made on a machine with other numbers";
        if (Version != CurrentVersion)
            return $"it has format {Version}, this library uses format {CurrentVersion}";
        if (Checksum != ComputeChecksum())
            return "its header is damaged";
        if (FileBytes != fileBytes)
            return $"it is {fileBytes:N0} bytes long, its header says {FileBytes:N0}";
        if (SlotBytes != SegmentSlot.Bytes || SlotCount != SlotsFor(fileBytes) || DataOffset != DataOffsetFor(fileBytes))
            return "its layout does not add up";
        return Owner == owner ? null : "it holds voices of another model or tenant";
    }

    public readonly ulong ComputeChecksum()
    {
        var copy = this;
        copy.Checksum = 0;
        return XxHash3.HashToUInt64(MemoryMarshal.AsBytes(new ReadOnlySpan<SegmentHeader>(in copy)));
    }
}
