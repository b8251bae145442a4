using System.Buffers;
using LightTts.FileSystem;
using Microsoft.Extensions.Logging;

namespace LightTts.Timbres.Sharing;

/// <summary>The segment of voices that the user's processes share.</summary>
/// <remarks>Readers take no lock: they look a key up, copy the record out, and believe it
/// only where its checksum and its generation say that it is the one that was
/// published. Writers take turns under a lock of the operating system.</remarks>
internal sealed class TimbreSegment : ITimbreTier
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
    private volatile bool _absent;
    private bool _impatient;
    private bool _disposed;

    private TimbreSegment(TimbreStoreOptions options, in TimbreKey owner, in TimbreKey extractor, TimbreShape? shape, ILogger logger)
    {
        _files = new SegmentFiles(options, owner, logger);
        (_owner, _extractor, _shape, _logger) = (owner, extractor, shape, logger);
        (_maxBytes, _maxTimbres) = (options.SegmentBytes, options.MaxTimbres);
    }

    /// <summary>Opens the segment where there is one; the first write makes it. Where that is
    /// impossible, one warning is logged and nothing is shared until a later write succeeds.</summary>
    /// <param name="options">Where it is and how large it may be.</param>
    /// <param name="owner">Whose voices it holds: the extractors' and the tenant's.</param>
    /// <param name="extractor">The extractors that made them.</param>
    /// <param name="shape">What the model takes as a voice; null takes any.</param>
    /// <param name="logger">Where warnings go.</param>
    public static TimbreSegment Open(TimbreStoreOptions options, in TimbreKey owner, in TimbreKey extractor, TimbreShape? shape, ILogger logger)
    {
        var segment = new TimbreSegment(options, owner, extractor, shape, logger);
        segment.Reopen(null, create: false);
        return segment;
    }

    /// <summary>The file in use now, or null where there is none.</summary>
    internal string? Path => Volatile.Read(ref _map)?.Path;

    public ValueTask<TierVoice?> ReadAsync(TimbreKey key) => new(Read(key));

    public ValueTask<TierName> ResolveAsync(string name) => new(Resolve(name));

    public ValueTask<bool> KeepAsync(TimbreRecord record, string? name, bool pinned)
    {
        // Somebody else's intact copy is as good as ours, and found without a lock.
        if (Read(record.Key) is { } there && (there.Pinned || !pinned) && !record.Supersedes(there.Record)
            && (name is null || IsBound(name, record.Key)))
            return new ValueTask<bool>(true);
        return new ValueTask<bool>(Task.Run(() => Keep(record, name, pinned)));
    }

    public ValueTask<bool> UnbindAsync(string name) => Resolve(name).State == NameState.Bound
        ? new ValueTask<bool>(Task.Run(() => Write(edit => Unbind(edit, name)))) : default;

    public ValueTask<bool> RemoveAsync(TimbreKey key, IReadOnlyCollection<string> names) => new(Task.Run(() => Remove(key, names)));

    public ValueTask<bool> SetPinnedAsync(TimbreKey key, bool pinned) => new(Task.Run(() => Write(edit =>
    {
        if (edit.Find(key, SegmentKind.Voice) is not { } entry)
            return false;
        edit.Map.Pinned(entry.Index) = pinned ? 1u : 0u;
        return true;
    })));

    public ValueTask<IReadOnlyList<TierEntry>> ListAsync() => new(List());

    public async ValueTask<IDisposable?> EnterExtractionAsync(TimbreKey key, TimeSpan wait, CancellationToken cancellationToken)
    {
        if (Path is null)
            Reopen(null, create: true);
        if (Path is not { } path)
            return null;
        try
        {
            var turn = await FileLock.TryAcquireAsync(SegmentBuilder.ExtractionPath(path, key), wait, deleteAfterwards: true,
                cancellationToken).ConfigureAwait(false);
            SegmentSteps.At("extraction entered");
            return turn;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private TierVoice? Read(in TimbreKey key)
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

    private TierName Resolve(string name)
    {
        if (Enter() is not { } map)
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

    private bool IsBound(string name, in TimbreKey target) => Resolve(name) is { State: NameState.Bound } bound && bound.Target == target;

    private bool Keep(TimbreRecord record, string? name, bool pinned)
    {
        var bytes = TimbreCodec.Encode(record, _extractor, null);
        SegmentSteps.At("encoded");
        if (bytes.Length > SegmentBuilder.MaxRecord(_maxBytes))
            return Refuse(Path ?? "", "a voice is too large for it");
        // The copy that is there is good, unless it is one that was imported and now gives way.
        var replace = Read(record.Key) is { } there && record.Supersedes(there.Record);
        var replaced = false;
        return Write(edit =>
        {
            if (Publish(edit, record.Key, SegmentKind.Voice, bytes, pinned, replace && !replaced) is not true and var refused)
                return refused;
            replaced = true;
            return name is null ? true : Publish(edit, TimbreKey.OfName(name), SegmentKind.Name, NameRecord.Encode(name, record.Key), pinned: false);
        });
    }

    private bool? Unbind(SegmentEdit edit, string name) =>
        Publish(edit, TimbreKey.OfName(name), SegmentKind.Name, NameRecord.Encode(name, default), pinned: false);

    private bool Remove(TimbreKey key, IReadOnlyCollection<string> names)
    {
        if (Enter() is not { } map)
            return false;
        map.Exit();
        var found = false;
        Write(edit =>
        {
            if (edit.Find(key, SegmentKind.Voice) is { } entry)
            {
                edit.Kill(entry);
                found = true;
            }
            foreach (var name in names.Union(NamesOf(edit, key)))
                if (Unbind(edit, name) is not true)
                    return null;
            return true;
        });
        return found;
    }

    private static List<string> NamesOf(SegmentEdit edit, TimbreKey key)
    {
        var names = new List<string>();
        foreach (var entry in edit.Live)
            if (entry.Slot.Kind == SegmentKind.Name
            && NameRecord.TryDecode(edit.Map.Bytes(entry.Slot.Offset, entry.Slot.Length), out var name, out var target) && target == key)
                names.Add(name);
        return names;
    }

    private IReadOnlyList<TierEntry> List()
    {
        if (Enter() is not { } map)
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

    public void Dispose()
    {
        lock (_opening)
        {
            _disposed = true;
            Interlocked.Exchange(ref _map, null)?.Exit();
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
            if (!TimbreCodec.TryDecode(record, _extractor, _shape, out var voice, out _, out var fault))
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
            TimbreLog.Damaged(_logger, map.Path, reason);
        return null;
    }

    /// <summary>The segment in use now, kept mapped until <see cref="SegmentMap.Exit"/>; null where there is none.</summary>
    private SegmentMap? Enter()
    {
        for (var tries = 0; tries < OpenTries; tries++)
        {
            if (Volatile.Read(ref _map) is not { } map)
            {
                // Where there was none, another process may have made one since.
                if (!_absent || !_files.MayExist)
                    return null;
                Reopen(null, create: false);
                if (Volatile.Read(ref _map) is null)
                    return null;
                continue;
            }
            if (!map.TryEnter())
                continue;
            if (map.CheckState() == SegmentState.Current)
                return map;
            map.Exit();
            Reopen(map, create: false);
        }
        return null;
    }

    // Replaces the map that the caller found to be unusable; where another thread did so already, nothing is left to do.
    private void Reopen(SegmentMap? unusable, bool create)
    {
        lock (_opening)
        {
            if (_map != unusable || _disposed)
                return;
            try
            {
                _map = _files.Open(create);
                _absent = _map is null;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException
                or DllNotFoundException or EntryPointNotFoundException)
            {
                (_map, _absent) = (null, false);
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
        lock (_writing)
        {
            for (var tries = 0; tries < OpenTries; tries++)
            {
                if (Path is null)
                    Reopen(null, create: true);
                if (Enter() is not { } map)
                {
                    if (_absent)
                        continue;
                    return false;
                }
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

    private bool? Publish(SegmentEdit edit, in TimbreKey key, SegmentKind kind, byte[] record, bool pinned, bool replace = false)
    {
        var current = edit.Find(key, kind);
        if (current is { } there && kind == SegmentKind.Voice && !replace && edit.IsSound(there))
        {
            edit.Map.Touch(there.Index);
            if (pinned)
                edit.Map.Pinned(there.Index) = 1;
            return true;
        }
        if (kind == SegmentKind.Voice && current is null && !MakeRoom(edit))
            return Refuse(edit.Map.Path, "all voices in it are pinned");
        if (!edit.TryAppend(key, kind, record, pinned || current?.Pinned == true))
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
