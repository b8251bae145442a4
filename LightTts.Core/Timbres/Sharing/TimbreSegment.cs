using System.Buffers;
using Microsoft.Extensions.Logging;

namespace LightTts.Timbres.Sharing;

/// <summary>The segment of voices that the user's processes share.</summary>
/// <remarks>Readers take no lock: they look a key up, copy the record out, and believe it only where its checksum and its generation say that it is the one that was
/// published. Writers take turns under a lock of the operating system.</remarks>
internal sealed class TimbreSegment : ITimbreSegment
{
    private const int OpenTries = 8;
    private static readonly TimeSpan WriterWait = TimeSpan.FromSeconds(2);

    private readonly SegmentFiles _files;
    private readonly TimbreKey _owner;
    private readonly TimbreKey _extractor;
    private readonly TimbreShape? _shape;
    private readonly long _maxBytes;
    private readonly int _maxTimbres;
    private readonly ILogger _logger;
    private readonly Lock _opening = new();
    private readonly Lock _writing = new();
    private SegmentMap? _map;
    private int _warned;
    private int _damageLogged;
    private bool _impatient;
    private bool _disposed;

    private TimbreSegment(TimbreStoreOptions options, in TimbreKey owner, in TimbreKey extractor, TimbreShape? shape, ILogger logger)
    {
        _files = new SegmentFiles(options, owner, logger);
        (_owner, _extractor, _shape, _logger) = (owner, extractor, shape, logger);
        (_maxBytes, _maxTimbres) = (options.SegmentBytes, options.MaxTimbres);
    }

    /// <summary>Opens the segment, or makes it. Where that is impossible, one warning is logged and nothing is shared until a later write succeeds.</summary>
    /// <param name="options">Where it is and how large it may be.</param>
    /// <param name="owner">Whose voices it holds: the extractors' and the tenant's.</param>
    /// <param name="extractor">The extractors that made them.</param>
    /// <param name="shape">What the model takes as a voice; null takes any.</param>
    /// <param name="logger">Where warnings go.</param>
    public static TimbreSegment Open(TimbreStoreOptions options, in TimbreKey owner, in TimbreKey extractor, TimbreShape? shape, ILogger logger)
    {
        var segment = new TimbreSegment(options, owner, extractor, shape, logger);
        segment.Reopen(null);
        return segment;
    }

    /// <summary>The file in use now, or null where there is none.</summary>
    internal string? Path => Volatile.Read(ref _map)?.Path;

    public SegmentVoice? Read(in TimbreKey key)
    {
        if (Enter() is not { } map)
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

    public SegmentName Resolve(string name, out TimbreKey target)
    {
        target = default;
        if (Enter() is not { } map)
            return SegmentName.Unknown;
        try
        {
            var index = map.Find(TimbreKey.OfName(name), SegmentKind.Name, out var slot);
            if (index < 0 || slot.Length > NameRecord.MaxBytes)
                return SegmentName.Unknown;
            Span<byte> record = stackalloc byte[slot.Length];
            map.Bytes(slot.Offset, slot.Length).CopyTo(record);
            if (Volatile.Read(ref map.Generation(index)) != slot.Generation || !NameRecord.TryDecode(record, out var stored, out target) || stored != name)
                return SegmentName.Unknown;
            map.Touch(index);
            return target == default ? SegmentName.Removed : SegmentName.Bound;
        }
        finally
        {
            map.Exit();
        }
    }

    public bool Publish(TimbreRecord record, bool pinned)
    {
        // Somebody else's intact copy is as good as ours, and found without a lock.
        if (Read(record.Key) is { } there && (there.Pinned || !pinned))
            return true;
        var bytes = TimbreCodec.Encode(record, _extractor, null);
        SegmentSteps.At("encoded");
        if (bytes.Length > SegmentBuilder.MaxRecord(_maxBytes))
            return Refuse(Path ?? "", "a voice is too large for it");
        return Write(edit => Publish(edit, record.Key, SegmentKind.Voice, bytes, pinned));
    }

    public bool Bind(string name, in TimbreKey target)
    {
        if (Resolve(name, out var current) == SegmentName.Bound && current == target)
            return true;
        var (key, bytes) = (TimbreKey.OfName(name), NameRecord.Encode(name, target));
        return Write(edit => Publish(edit, key, SegmentKind.Name, bytes, pinned: false));
    }

    public bool Remove(in TimbreKey key, IReadOnlyCollection<string> names)
    {
        var voice = key;
        var found = false;
        Write(edit =>
        {
            if (edit.Find(voice, SegmentKind.Voice) is { } entry)
            {
                edit.Kill(entry);
                found = true;
            }
            foreach (var name in names)
                if (Publish(edit, TimbreKey.OfName(name), SegmentKind.Name, NameRecord.Encode(name, default), pinned: false) is not true)
                    return null;
            return true;
        });
        return found;
    }

    public bool SetPinned(in TimbreKey key, bool pinned)
    {
        var voice = key;
        return Write(edit =>
        {
            if (edit.Find(voice, SegmentKind.Voice) is not { } entry)
                return false;
            edit.Map.Pinned(entry.Index) = pinned ? 1u : 0u;
            return true;
        });
    }

    public IReadOnlyList<(SegmentVoice Voice, IReadOnlyList<string> Names)> List()
    {
        if (Enter() is not { } map)
            return [];
        try
        {
            var voices = new List<SegmentVoice>();
            var names = new Dictionary<TimbreKey, List<string>>();
            for (var index = 0; index < map.SlotCount; index++)
            {
                var slot = map.Slot(index);
                if (slot.Generation is SegmentSlot.Empty or SegmentSlot.Dead || !slot.IsIntact(map.DataOffset, map.FileBytes))
                    continue;
                if (slot.Kind == SegmentKind.Voice && ReadVoice(map, index, slot, touch: false) is { } voice)
                    voices.Add(voice);
                else if (slot.Kind == SegmentKind.Name && NameRecord.TryDecode(map.Bytes(slot.Offset, slot.Length).ToArray(), out var name, out var target))
                    (names.TryGetValue(target, out var list) ? list : names[target] = []).Add(name);
            }
            return [.. voices.Select(voice => (voice, (IReadOnlyList<string>)(names.GetValueOrDefault(voice.Record.Key) ?? [])))];
        }
        finally
        {
            map.Exit();
        }
    }

    public IDisposable? EnterExtraction(in TimbreKey key, TimeSpan wait)
    {
        if (Path is not { } path)
            return null;
        try
        {
            var turn = FileLock.TryAcquire(SegmentBuilder.ExtractionPath(path, key), wait, deleteAfterwards: true);
            SegmentSteps.At("extraction entered");
            return turn;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    public void Dispose()
    {
        lock (_opening)
        {
            _disposed = true;
            Interlocked.Exchange(ref _map, null)?.Exit();
        }
    }

    // The bytes are copied out before they are believed: whatever happens to the file afterwards cannot change what was checked.
    private SegmentVoice? ReadVoice(SegmentMap map, int index, in SegmentSlot slot, bool touch = true)
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
            if (!TimbreCodec.TryDecode(record, _extractor, _shape, out var voice, out _, out var fault))
                return LogDamage(map, fault);
            if (voice.Key != slot.Key)
                return LogDamage(map, "it is another voice");
            if (touch)
                map.Touch(index);
            return new SegmentVoice(voice, map.Pinned(index) != 0, slot.Length);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private SegmentVoice? LogDamage(SegmentMap map, string reason)
    {
        if (Interlocked.Exchange(ref _damageLogged, 1) == 0)
            TimbreLog.Damaged(_logger, map.Path, reason);
        return null;
    }

    /// <summary>The segment in use now, kept mapped until <see cref="SegmentMap.Exit"/>; null where there is none.</summary>
    private SegmentMap? Enter()
    {
        for (var tries = 0; tries < OpenTries && Volatile.Read(ref _map) is { } map; tries++)
        {
            if (!map.TryEnter())
                continue;
            if (map.CheckState() == SegmentState.Current)
                return map;
            map.Exit();
            Reopen(map);
        }
        return null;
    }

    // Replaces the map that the caller found to be unusable; where another thread did so already, nothing is left to do.
    private void Reopen(SegmentMap? unusable)
    {
        lock (_opening)
        {
            if (_map != unusable || _disposed)
                return;
            try
            {
                _map = _files.Open();
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException or DllNotFoundException or EntryPointNotFoundException)
            {
                _map = null;
                if (Interlocked.Exchange(ref _warned, 1) == 0)
                    TimbreLog.ProcessOnly(_logger, e.Message);
            }
            unusable?.Exit();
        }
    }

    /// <summary>Takes a turn as the writer.</summary>
    /// <param name="work">What to do; null asks for another turn, at the segment that has been put in this one's place.</param>
    private bool Write(Func<SegmentEdit, bool?> work)
    {
        if (Path is null)
            Reopen(null);
        lock (_writing)
        {
            for (var tries = 0; tries < OpenTries; tries++)
            {
                if (Enter() is not { } map)
                    return false;
                try
                {
                    using var turn = FileLock.TryAcquire(SegmentFiles.LockPath(map.Path), _impatient ? TimeSpan.Zero : WriterWait);
                    // Whoever holds it is stopped, not dead: the next ones do not wait for it again until it went on.
                    _impatient = turn is null;
                    if (turn is null)
                        return Refuse(map.Path, "another process holds its lock");
                    SegmentSteps.At("lock taken");
                    if (map.CheckState() == SegmentState.Current && map.IsAtItsPath() && work(SegmentEdit.Begin(map)) is { } done)
                        return done;
                }
                catch (Exception e) when (e is IOException or UnauthorizedAccessException)
                {
                    return Refuse(map.Path, e.Message);
                }
                finally
                {
                    map.Exit();
                }
            }
            return false;
        }
    }

    private bool? Publish(SegmentEdit edit, in TimbreKey key, SegmentKind kind, byte[] record, bool pinned)
    {
        var current = edit.Find(key, kind);
        if (current is { } there && kind == SegmentKind.Voice && edit.IsSound(there))
        {
            edit.Map.Touch(there.Index);
            if (pinned)
                edit.Map.Pinned(there.Index) = 1;
            return true;
        }
        if (kind == SegmentKind.Voice && current is null && !MakeRoom(edit))
            return Refuse(edit.Map.Path, "all voices in it are pinned");
        if (!edit.TryAppend(key, kind, record, pinned))
        {
            SegmentBuilder.Compact(edit, record.Length, _maxBytes, _owner);
            TimbreLog.Compacted(_logger, edit.Map.Path, edit.Live.Count);
            return null;
        }
        if (current is { } old)
            edit.Kill(old);
        return true;
    }

    private bool MakeRoom(SegmentEdit edit)
    {
        while (edit.Live.Count(entry => entry.Slot.Kind == SegmentKind.Voice) >= _maxTimbres)
        {
            var last = edit.ByWorth().Last(entry => entry.Slot.Kind == SegmentKind.Voice);
            if (last.Pinned)
                return false;
            edit.Kill(last);
        }
        return true;
    }

    private bool Refuse(string path, string reason)
    {
        if (Interlocked.Exchange(ref _warned, 1) == 0)
            TimbreLog.NotPublished(_logger, path, reason);
        return false;
    }
}
