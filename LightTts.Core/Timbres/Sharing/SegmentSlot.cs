using System.IO.Hashing;
using System.Runtime.InteropServices;

namespace LightTts.Timbres.Sharing;

/// <summary>An entry of the segment's hash table: where a record is. The generation is written last, which publishes it.</summary>
/// <remarks>Two fields behind it (when it was last used, whether it is pinned) change
/// later and are not covered by the checksum: the worst that damage to them does is
/// a wrong order of eviction.</remarks>
[StructLayout(LayoutKind.Sequential)]
internal struct SegmentSlot
{
    /// <summary>Two cache lines.</summary>
    public const int Bytes = 128;

    public const int LastUsedOffset = 72, PinnedOffset = 80;

    /// <summary>Generation of a slot that was never used (ends a search), and of one whose record is gone (does not end it).</summary>
    public const ulong Empty = 0, Dead = 1;

    public ulong Generation;
    public TimbreKey Key;
    public long Offset;
    public int Length;
    public SegmentKind Kind;
    public ulong RecordChecksum;
    public ulong Checksum;

    public readonly bool IsIntact(long dataOffset, long fileBytes) =>
        Checksum == ComputeChecksum() && Offset >= dataOffset && Length > 0 && Offset <= fileBytes - Length;

    public readonly ulong ComputeChecksum()
    {
        var copy = this;
        copy.Checksum = 0;
        return XxHash3.HashToUInt64(MemoryMarshal.AsBytes(new ReadOnlySpan<SegmentSlot>(in copy)));
    }
}
