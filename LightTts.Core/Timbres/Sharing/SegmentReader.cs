using System.Buffers;
using Microsoft.Extensions.Logging;

namespace LightTts.Timbres.Sharing;

/// <summary>Reads voices and names out of the segment, without a lock.</summary>
/// <remarks>It looks a key up, copies the record out, and believes it only where its checksum
/// and its generation say that it is the one that was published.</remarks>
/// <param name="handle">The segment in use.</param>
/// <param name="extractor">The extractors whose voices are taken.</param>
/// <param name="shape">What the model takes as a voice; null takes any.</param>
/// <param name="logger">Where damage is told, once.</param>
internal sealed class SegmentReader(SegmentHandle handle, TimbreKey extractor, TimbreShape? shape, ILogger logger)
{
    private int _damageLogged;

    public TierVoice? Read(in TimbreKey key)
    {
        if (handle.Enter() is not { } map)
            return null;
        try
        {
            var index = map.Find(key, SegmentKind.Voice, out var slot);
            return index < 0 ? null : ReadVoice(map, index, slot);
        }
        finally
        {
            map.Exit();
        }
    }

    public TierName Resolve(string name)
    {
        if (handle.Enter() is not { } map)
            return default;
        try
        {
            var index = map.Find(TimbreKey.OfName(name), SegmentKind.Name, out var slot);
            if (index < 0 || slot.Length > NameRecord.MaxBytes)
                return default;
            Span<byte> record = stackalloc byte[slot.Length];
            map.Bytes(slot.Offset, slot.Length).CopyTo(record);
            if (Volatile.Read(ref map.Generation(index)) != slot.Generation || !NameRecord.TryDecode(record, out var stored, out var target)
                || stored != name)
                return default;
            map.Touch(index);
            return new TierName(target == default ? NameState.Removed : NameState.Bound, target);
        }
        finally
        {
            map.Exit();
        }
    }

    public IReadOnlyList<TierEntry> List()
    {
        if (handle.Enter() is not { } map)
            return [];
        try
        {
            var voices = new List<TierVoice>();
            var names = new Dictionary<TimbreKey, List<string>>();
            for (var index = 0; index < map.SlotCount; index++)
            {
                var slot = map.Slot(index);
                if (slot.Generation is SegmentSlot.Empty or SegmentSlot.Dead || !slot.IsIntact(map.DataOffset, map.FileBytes))
                    continue;
                if (slot.Kind == SegmentKind.Voice && ReadVoice(map, index, slot, touch: false) is { } voice)
                    voices.Add(voice);
                else if (slot.Kind == SegmentKind.Name
                    && NameRecord.TryDecode(map.Bytes(slot.Offset, slot.Length).ToArray(), out var name, out var target))
                    (names.TryGetValue(target, out var list) ? list : names[target] = []).Add(name);
            }
            return [.. voices.Select(voice => new TierEntry(
                voice.Record.Key, voice.Record.Transcript, voice.Record.Duration, voice.Record.CreatedAt, voice.Record.Origin, voice.Bytes,
                voice.Pinned,
                names.GetValueOrDefault(voice.Record.Key) ?? []))];
        }
        finally
        {
            map.Exit();
        }
    }

    // The bytes are copied out before they are believed: whatever happens to the file afterwards cannot change what was checked.
    private TierVoice? ReadVoice(SegmentMap map, int index, in SegmentSlot slot, bool touch = true)
    {
        if (slot.Length > TimbreCodec.MaxBytes)
            return null;
        var buffer = ArrayPool<byte>.Shared.Rent(slot.Length);
        try
        {
            var record = buffer.AsSpan(0, slot.Length);
            map.Bytes(slot.Offset, slot.Length).CopyTo(record);
            if (Volatile.Read(ref map.Generation(index)) != slot.Generation)
                return null;
            if (TimbreCodec.StoredChecksum(record) != slot.RecordChecksum)
                return LogDamage(map, "its checksum is not the one that was published");
            if (!TimbreCodec.TryDecode(record, extractor, shape, out var voice, out _, out var fault))
                return LogDamage(map, fault);
            if (voice.Key != slot.Key)
                return LogDamage(map, "it is another voice");
            if (touch)
                map.Touch(index);
            return new TierVoice(voice, map.Pinned(index) != 0, slot.Length);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private TierVoice? LogDamage(SegmentMap map, string reason)
    {
        if (Interlocked.Exchange(ref _damageLogged, 1) == 0)
            TimbreLog.Damaged(logger, map.Path, reason);
        return null;
    }
}
