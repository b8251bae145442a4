using LightTts.FileSystem;
using LightTts.Timbres.Sharing;
using Microsoft.Extensions.Logging;

namespace LightTts.Timbres.Durable;

/// <summary>Named voices on disk: a file for each voice (<c>voices/ID.timbre</c>) and a small one for each name (<c>names/HASH.name</c>).</summary>
/// <remarks>Readers take no lock, for a file is there as a whole or not at all. Writers
/// take turns under a lock of the operating system. A voice is written before its
/// name and removed after it, so that a process that dies leaves at worst a voice that nobody
/// finds. Damaged files stay as they are, or move aside where their place is needed.</remarks>
internal sealed class TimbreFolder : ITimbreTier
{
    private const int CountEvery = 1000;
    private static readonly TimeSpan WriterWait = TimeSpan.FromSeconds(5);

    private readonly string _root;
    private readonly string _voices;
    private readonly string _names;
    private readonly int _maxNames;
    private readonly TimbreKey _extractor;
    private readonly TimbreShape? _shape;
    private readonly ILogger _logger;
    private readonly SemaphoreSlim _turn = new(1, 1);
    private int _count = -1;
    private int _sinceCount;
    private int _damageLogged;

    /// <param name="path">The folder, or null where the system names none: then nothing
    /// is read, and keeping a voice is an error that says so.</param>
    /// <param name="maxNames">How many names it may hold.</param>
    /// <param name="owner">Whose voices these are.</param>
    /// <param name="extractor">The extractors that made them.</param>
    /// <param name="shape">What the model takes as a voice; null takes any.</param>
    /// <param name="logger">Where warnings go.</param>
    public TimbreFolder(string? path, int maxNames, in TimbreKey owner, in TimbreKey extractor, TimbreShape? shape, ILogger logger)
    {
        _root = path is null ? "" : Path.Combine(path, owner.ToString()[..16]);
        (_voices, _names) = (Path.Combine(_root, "voices"), Path.Combine(_root, "names"));
        (_maxNames, _extractor, _shape, _logger) = (maxNames, extractor, shape, logger);
    }

    public ValueTask<TierVoice?> ReadAsync(TimbreKey key) =>
        Exists(VoicePath(key)) ? new ValueTask<TierVoice?>(Task.Run(() => Read(key))) : default;

    public ValueTask<TierName> ResolveAsync(string name) =>
        Exists(NamePath(name)) ? new ValueTask<TierName>(Task.Run(() => Resolve(name))) : default;

    public async ValueTask<bool> KeepAsync(TimbreRecord record, string? name, bool pinned)
    {
        if (name is null)
            return false;
        return await WriteAsync(name, () =>
        {
            if (_root.Length == 0)
                throw new IOException("The system names no data folder (is HOME set?).");
            PrivateFile.MakeFolder(_root);
            PrivateFile.MakeFolder(_voices);
            PrivateFile.MakeFolder(_names);
        }, () => Keep(record, name, pinned)).ConfigureAwait(false);
    }

    public ValueTask<bool> UnbindAsync(string name) => Exists(NamePath(name)) ? WriteAsync(name, null, () => Unbind(name)) : default;

    public ValueTask<bool> RemoveAsync(TimbreKey key, IReadOnlyCollection<string> names) => Directory.Exists(_names)
        ? WriteAsync(names.FirstOrDefault(), null, () =>
        {
            foreach (var (path, _) in Names().Where(found => found.Entry.Key == key).ToList())
                DurableFile.Delete(path);
            DurableFile.Settle(_names);
            SegmentSteps.At("durable names removed");
            return DeleteVoice(key);
        })
        : default;

    public ValueTask<bool> SetPinnedAsync(TimbreKey key, bool pinned) =>
        Exists(VoicePath(key)) ? WriteAsync(null, null, () => SetPinned(key, pinned)) : default;

    public ValueTask<IReadOnlyList<TierEntry>> ListAsync() =>
        Directory.Exists(_names) ? new ValueTask<IReadOnlyList<TierEntry>>(Task.Run(List)) : new ValueTask<IReadOnlyList<TierEntry>>([]);

    /// <summary>Turns are the fast tier's affair.</summary>
    public ValueTask<IDisposable?> EnterExtractionAsync(TimbreKey key, TimeSpan wait, CancellationToken cancellationToken) => default;

    public void Dispose() => _turn.Dispose();

    private string VoicePath(in TimbreKey key) => Path.Combine(_voices, key + ".timbre");

    private string PinPath(in TimbreKey key) => Path.Combine(_voices, key + ".pin");

    // Names are hashed: a file system may hold two names for one (case, accents) or refuse one (CON).
    private string NamePath(string name) => Path.Combine(_names, TimbreKey.OfName(name).ToString()[..32] + ".name");

    private bool Exists(string path) => _root.Length > 0 && FileFacts.Of(path) is not null;

    private TierVoice? Read(TimbreKey key) =>
        TryRead(VoicePath(key), TimbreFile.MaxBytes) is { Length: > 0 } bytes && Decode(key, bytes) is { } record
        ? new TierVoice(record, File.Exists(PinPath(key)), bytes.Length) : null;

    private TimbreRecord? Decode(TimbreKey key, byte[] bytes)
    {
        try
        {
            var (record, _) = TimbreFile.Read(new MemoryStream(bytes), _extractor, _shape);
            if (record.Key == key)
                return record;
            LogDamage(VoicePath(key), "it is another voice");
        }
        catch (TtsTimbreException e)
        {
            LogDamage(VoicePath(key), e.Message);
        }
        return null;
    }

    private TierName Resolve(string name)
    {
        try
        {
            if (DurableFile.Read(NamePath(name), DurableName.MaxBytes) is not { } bytes)
                return default;
            if (DurableName.TryDecode(bytes, out var stored, out var entry) && stored == name)
                return new TierName(NameState.Bound, entry!.Key);
            LogDamage(NamePath(name), "its checksum does not match");
            return default;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            LogDamage(NamePath(name), e.Message);
            return new TierName(NameState.Unreadable, default);
        }
    }

    private bool Keep(TimbreRecord record, string name, bool pinned)
    {
        var namePath = NamePath(name);
        var known = Resolve(name);
        if (!File.Exists(namePath))
            MakeSureOfRoom();
        else if (known.State != NameState.Bound)
            PutAside(namePath);
        var file = new MemoryStream();
        TimbreFile.Write(file, record, _extractor, null);
        var voicePath = VoicePath(record.Key);
        if (File.Exists(voicePath) && Read(record.Key) is null)
            PutAside(voicePath);
        if (Read(record.Key) is not { } there || record.Supersedes(there.Record))
            DurableFile.Write(voicePath, file.GetBuffer().AsSpan(0, (int)file.Length));
        if (pinned)
            SetPinned(record.Key, true);
        SegmentSteps.At("durable voice kept");
        if (known.State == NameState.Bound && known.Target == record.Key)
            return true;
        DurableFile.Write(namePath, DurableName.Encode(name, record, (int)file.Length));
        // A voice that lost its last name to this one is anonymous now, and those are not kept.
        if (known.State == NameState.Bound && !IsNamed(known.Target))
            DeleteVoice(known.Target);
        return true;
    }

    private bool Unbind(string name)
    {
        var known = Resolve(name);
        if (known.State != NameState.Bound || !DurableFile.Delete(NamePath(name)))
            return false;
        _count = Math.Max(-1, _count - 1);
        DurableFile.Settle(_names);
        SegmentSteps.At("durable name removed");
        if (!IsNamed(known.Target))
            DeleteVoice(known.Target);
        return true;
    }

    private bool DeleteVoice(in TimbreKey key)
    {
        _count = -1;
        DurableFile.Delete(PinPath(key));
        var found = DurableFile.Delete(VoicePath(key));
        DurableFile.Settle(_voices);
        return found;
    }

    private bool SetPinned(TimbreKey key, bool pinned)
    {
        if (pinned && !File.Exists(PinPath(key)))
            DurableFile.Write(PinPath(key), []);
        else if (!pinned)
            DurableFile.Delete(PinPath(key));
        return true;
    }

    private bool IsNamed(TimbreKey key) => Names().Any(found => found.Entry.Key == key);

    private IReadOnlyList<TierEntry> List() =>
        [.. Names().GroupBy(found => found.Entry.Key).Select(names =>
        names.First().Entry with { Pinned = File.Exists(PinPath(names.Key)), Names = [.. names.SelectMany(found => found.Entry.Names)] })];

    private IEnumerable<(string Path, TierEntry Entry)> Names()
    {
        foreach (var path in Directory.EnumerateFiles(_names, "*.name"))
            if (TryRead(path, DurableName.MaxBytes) is { } bytes)
            {
                if (DurableName.TryDecode(bytes, out _, out var entry))
                    yield return (path, entry!);
                else
                    LogDamage(path, "its checksum does not match");
            }
    }

    private byte[]? TryRead(string path, int maxBytes)
    {
        try
        {
            return DurableFile.Read(path, maxBytes);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            LogDamage(path, e.Message);
            return null;
        }
    }

    // Counted now and then only, for a folder of many names takes its time: processes
    // that add at once may go over the limit by what they add in between.
    private void MakeSureOfRoom()
    {
        if (_count < 0 || _count >= _maxNames || ++_sinceCount >= CountEvery)
            (_count, _sinceCount) = (Directory.EnumerateFiles(_names, "*.name").Count(), 0);
        if (_count >= _maxNames)
            throw new IOException($"It holds {_count:N0} names, as many as MaxDurableTimbres allows. Remove voices that are not needed, or allow "
            + $"more.");
        _count++;
    }

    private async ValueTask<bool> WriteAsync(string? name, Action? prepare, Func<bool> work)
    {
        await _turn.WaitAsync().ConfigureAwait(false);
        try
        {
            return await Task.Run(() =>
            {
                prepare?.Invoke();
                using var turn = FileLock.TryAcquire(Path.Combine(_root, "lock"), WriterWait)
                    ?? throw new IOException("Another process has held its lock for 5 s. Try again.");
                SegmentSteps.At("durable lock taken");
                DeleteLeftovers();
                return work();
            }).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            throw new TtsTimbreException(
                $"{(name is null ? "The voice" : $"The voice '{name}'")} cannot be kept on disk, changed or removed there: {_root}: {e.Message} "
                + "Make the folder writable or free some space, or name another folder (DurableFolder), or let names be forgotten when the system "
                + "starts anew (Durable = false).", e);
        }
        finally
        {
            _turn.Release();
        }
    }

    // What writers that died left: nobody else writes now.
    private void DeleteLeftovers()
    {
        if (_count >= 0)
            return;
        foreach (var folder in new[] { _voices, _names }.Where(Directory.Exists))
            foreach (var file in Directory.GetFiles(folder, "*" + DurableFile.TemporaryMark + "*"))
                PrivateFile.TryDelete(file);
    }

    private static void PutAside(string path) => File.Move(path, path + ".damaged", overwrite: true);

    private void LogDamage(string path, string reason)
    {
        if (Interlocked.Exchange(ref _damageLogged, 1) == 0)
            TimbreLog.DamagedFile(_logger, path, reason);
    }
}
