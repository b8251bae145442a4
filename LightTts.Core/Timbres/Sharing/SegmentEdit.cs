namespace LightTts.Timbres.Sharing;

/// <summary>A writer's turn at a segment, under the writer lock. It knows the segment
/// only by what is published in it: a writer that died left nothing to repair.</summary>
internal sealed class SegmentEdit
{
    private const int RecordAlignment = 64;
    private ulong _generation;
    private long _tail;
    private int _used;

    private SegmentEdit(SegmentMap map) => Map = map;

    public SegmentMap Map { get; }

    /// <summary>The intact entries.</summary>
    public List<Entry> Live { get; } = [];

    /// <summary>An entry as it was found.</summary>
    public readonly record struct Entry(int Index, SegmentSlot Slot, ulong LastUsed, bool Pinned)
    {
        public long Space => Align(Slot.Length);
    }

    public static SegmentEdit Begin(SegmentMap map)
    {
        var edit = new SegmentEdit(map) { _tail = map.DataOffset };
        var newest = new Dictionary<TimbreKey, int>();
        for (var index = 0; index < map.SlotCount; index++)
        {
            var generation = Volatile.Read(ref map.Generation(index));
            if (generation == SegmentSlot.Empty)
                continue;
            edit._used++;
            if (generation == SegmentSlot.Dead)
            {
                // Its record may still be being read: that space is taken until the segment is compacted.
                var gone = map.Slot(index);
                if (gone.Length > 0 && gone.Offset >= map.DataOffset && gone.Offset <= map.FileBytes - gone.Length)
                    edit._tail = Math.Max(edit._tail, gone.Offset + Align(gone.Length));
                continue;
            }
            var slot = map.Slot(index);
            if (!slot.IsIntact(map.DataOffset, map.FileBytes))
            {
                Volatile.Write(ref map.Generation(index), SegmentSlot.Dead);
                continue;
            }
            edit._generation = Math.Max(edit._generation, generation);
            edit._tail = Math.Max(edit._tail, slot.Offset + Align(slot.Length));
            var entry = new Entry(index, slot, Volatile.Read(ref map.LastUsed(index)), map.Pinned(index) != 0);
            // Two of one key: a writer died between publishing the new one and retiring the old one.
            if (newest.TryGetValue(slot.Key, out var other))
            {
                var older = edit.Live[other].Slot.Generation < generation ? edit.Live[other] : entry;
                Volatile.Write(ref map.Generation(older.Index), SegmentSlot.Dead);
                if (older.Index != index)
                    edit.Live[other] = entry;
                continue;
            }
            newest.Add(slot.Key, edit.Live.Count);
            edit.Live.Add(entry);
        }
        edit._generation = Math.Max(edit._generation, Volatile.Read(ref map.Clock) & 0xFFFF_FFFF_FFFF);
        SegmentSteps.At("scanned");
        return edit;
    }

    /// <summary>Appends a record and publishes it.</summary>
    /// <returns>False where there is no room.</returns>
    public bool TryAppend(in TimbreKey key, SegmentKind kind, ReadOnlySpan<byte> record, bool pinned, ulong? lastUsed = null)
    {
        if (_tail > Map.FileBytes - Align(record.Length) || (_used + 1) * 4L > Map.SlotCount * 3L)
            return false;
        var generation = Math.Max(_generation, SegmentSlot.Dead) + 1;
        var space = Map.Bytes(_tail, record.Length);
        var half = record.Length / 2;
        record[..half].CopyTo(space);
        SegmentSteps.At("record half written");
        record[half..].CopyTo(space[half..]);
        SegmentSteps.At("record written");

        var slot = new SegmentSlot
        {
            Generation = generation, Key = key, Offset = _tail, Length = record.Length, Kind = kind,
                RecordChecksum = TimbreCodec.StoredChecksum(record),
        };
        slot.Checksum = slot.ComputeChecksum();
        var index = Map.FindEmpty(key);
        Map.SetSlot(index, slot);
        SegmentSteps.At("slot written");
        Map.LastUsed(index) = lastUsed ?? generation;
        Map.Pinned(index) = pinned ? 1u : 0u;
        SegmentSteps.At("slot complete");
        Volatile.Write(ref Map.Generation(index), generation);
        SegmentSteps.At("published");
        Volatile.Write(ref Map.Clock, generation);
        SegmentSteps.At("clock set");

        _generation = generation;
        _tail += Align(record.Length);
        _used++;
        Live.Add(new Entry(index, slot, lastUsed ?? generation, pinned));
        return true;
    }

    public Entry? Find(in TimbreKey key, SegmentKind kind)
    {
        foreach (var entry in Live)
            if (entry.Slot.Key == key && entry.Slot.Kind == kind)
                return entry;
        return null;
    }

    /// <summary>Lets readers find an entry no more. Those that read it right now still read what it was.</summary>
    public void Kill(in Entry entry)
    {
        Volatile.Write(ref Map.Generation(entry.Index), SegmentSlot.Dead);
        Live.Remove(entry);
        SegmentSteps.At("entry retired");
    }

    /// <summary>Whether the bytes of an entry's record are what they were.</summary>
    public bool IsSound(in Entry entry)
    {
        ReadOnlySpan<byte> record = Map.Bytes(entry.Slot.Offset, entry.Slot.Length);
        return record.Length > sizeof(ulong) && TimbreCodec.StoredChecksum(record) == entry.Slot.RecordChecksum
            && TimbreCodec.Checksum(record) == entry.Slot.RecordChecksum;
    }

    /// <summary>Entries in the order in which they make room for others, the last to go first.</summary>
    public IOrderedEnumerable<Entry> ByWorth() =>
        Live.OrderByDescending(entry => entry.Pinned).ThenByDescending(entry => entry.LastUsed).ThenByDescending(entry => entry.Slot.Generation);

    public static long Align(long length) => (length + RecordAlignment - 1) & -RecordAlignment;
}
