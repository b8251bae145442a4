using LightTts.FileSystem;
using Microsoft.Extensions.Logging;

namespace LightTts.Timbres.Sharing;

/// <summary>The segment of voices that the user's processes share.</summary>
/// <remarks>Readers take no lock (<see cref="SegmentReader"/>); writers take turns under a lock of the operating system.</remarks>
internal sealed class TimbreSegment : ITimbreTier
{
    private static readonly TimeSpan WriterWait = TimeSpan.FromSeconds(2);

    private readonly SegmentHandle _handle;
    private readonly SegmentReader _reader;
    private readonly TimbreKey _owner;
    private readonly TimbreKey _extractor;
    private readonly long _maxBytes;
    private readonly int _maxTimbres;
    private readonly ILogger _logger;
    private readonly Lock _writing = new();
    private bool _impatient;

    private TimbreSegment(TimbreStoreOptions options, in TimbreKey owner, in TimbreKey extractor, TimbreShape? shape, ILogger logger)
    {
        _handle = new SegmentHandle(new SegmentFiles(options, owner, logger), logger);
        _reader = new SegmentReader(_handle, extractor, shape, logger);
        (_owner, _extractor, _logger) = (owner, extractor, logger);
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
        segment._handle.Open(create: false);
        return segment;
    }

    /// <summary>The file in use now, or null where there is none.</summary>
    internal string? Path => _handle.Path;

    public ValueTask<TierVoice?> ReadAsync(TimbreKey key) => new(_reader.Read(key));

    public ValueTask<TierName> ResolveAsync(string name) => new(_reader.Resolve(name));

    public ValueTask<bool> KeepAsync(TimbreRecord record, string? name, bool pinned)
    {
        // Somebody else's intact copy is as good as ours, and found without a lock.
        if (_reader.Read(record.Key) is { } there && (there.Pinned || !pinned) && !record.Supersedes(there.Record)
            && (name is null || IsBound(name, record.Key)))
            return new ValueTask<bool>(true);
        return new ValueTask<bool>(Task.Run(() => Keep(record, name, pinned)));
    }

    public ValueTask<bool> UnbindAsync(string name) => _reader.Resolve(name).State == NameState.Bound
        ? new ValueTask<bool>(Task.Run(() => Write(edit => Unbind(edit, name)))) : default;

    public ValueTask<bool> RemoveAsync(TimbreKey key, IReadOnlyCollection<string> names) => new(Task.Run(() => Remove(key, names)));

    public ValueTask<bool> SetPinnedAsync(TimbreKey key, bool pinned) => new(Task.Run(() => Write(edit =>
    {
        if (edit.Find(key, SegmentKind.Voice) is not { } entry)
            return false;
        edit.Map.Pinned(entry.Index) = pinned ? 1u : 0u;
        return true;
    })));

    public ValueTask<IReadOnlyList<TierEntry>> ListAsync() => new(_reader.List());

    public async ValueTask<IDisposable?> EnterExtractionAsync(TimbreKey key, TimeSpan wait, CancellationToken cancellationToken)
    {
        if (Path is null)
            _handle.Open(create: true);
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

    private bool IsBound(string name, in TimbreKey target) => _reader.Resolve(name) is { State: NameState.Bound } bound && bound.Target == target;

    private bool Keep(TimbreRecord record, string? name, bool pinned)
    {
        var bytes = TimbreCodec.Encode(record, _extractor, null);
        SegmentSteps.At("encoded");
        if (bytes.Length > SegmentBuilder.MaxRecord(_maxBytes))
            return Refuse(Path ?? "", "a voice is too large for it");
        // The copy that is there is good, unless it is one that was imported and now gives way.
        var replace = _reader.Read(record.Key) is { } there && record.Supersedes(there.Record);
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
        if (_handle.Enter() is not { } map)
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

    public void Dispose() => _handle.Dispose();

    /// <summary>Takes a turn as the writer.</summary>
    /// <param name="work">What to do; null asks for another turn, at the segment that has been put in this one's place.</param>
    private bool Write(Func<SegmentEdit, bool?> work)
    {
        lock (_writing)
        {
            for (var tries = 0; tries < SegmentHandle.OpenTries; tries++)
            {
                if (Path is null)
                    _handle.Open(create: true);
                if (_handle.Enter() is not { } map)
                {
                    if (_handle.IsAbsent)
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
        if (_handle.FirstWarning())
            TimbreLog.NotPublished(_logger, path, reason);
        return false;
    }
}
