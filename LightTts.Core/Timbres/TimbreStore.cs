using LightTts.Timbres.Durable;
using LightTts.Timbres.Sharing;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace LightTts.Timbres;

/// <summary>Finds a voice in this process, then in the tiers behind it, and extracts it where none has it.</summary>
internal sealed class TimbreStore : ITimbreStore, IDisposable
{
    private readonly TimbreShape? _shape;
    private readonly HashSet<string> _presets;
    private readonly HashSet<string> _presetsChecked = [];
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly TimbreKey _extractor;
    private readonly TimbreKey _owner;
    private readonly TimbreCache _cache;
    private readonly TimbreTiers _tiers;
    private readonly TimbreFinder _finder;
    private readonly TimbreLearner _learner;
    private int _disposed;

    /// <param name="options">How voices are kept.</param>
    /// <param name="extractorId">Identifies the feature extractors: voices made by one are not good for another.</param>
    /// <param name="extract">Extracts a voice; called once for each voice, on a thread of the pool.</param>
    /// <param name="shape">What the model takes as a voice; null takes any.</param>
    /// <param name="presets">Names of the model's own voices, which no other may have.</param>
    /// <param name="logger">Where warnings go.</param>
    /// <param name="time">The clock.</param>
    public TimbreStore(
        TimbreStoreOptions options,
        string extractorId,
        Func<AudioClip, string?, CancellationToken, ValueTask<TimbreFeatures>> extract,
        TimbreShape? shape = null,
        IEnumerable<string>? presets = null,
        ILogger? logger = null,
        TimeProvider? time = null)
    {
        options.Validate();
        _shape = shape;
        _presets = new HashSet<string>(presets ?? [], StringComparer.Ordinal);
        _logger = logger ?? NullLogger.Instance;
        _time = time ?? TimeProvider.System;
        _extractor = TimbreKey.OfOwner(extractorId, null);
        _owner = TimbreKey.OfOwner(extractorId, options.Tenant);
        _cache = new TimbreCache(options.ProcessBytes, options.MaxTimbres);
        _tiers = new TimbreTiers(
            options.Shared ? TimbreSegment.Open(options, _owner, _extractor, shape, _logger) : null,
            DurableFolders.IsWanted(options)
            ? new TimbreFolder(DurableFolders.Find(options), options.MaxDurableTimbres, _owner, _extractor, shape, _logger) : null);
        _finder = new TimbreFinder(_cache, _tiers, _time);
        _learner = new TimbreLearner(options, extract, shape, _owner, _cache, _tiers, _time);
    }

    /// <summary>This process's part.</summary>
    internal TimbreCache Cache => _cache;

    public async ValueTask<Timbre> AddAsync(AudioClip reference, string? transcript = null, string? name = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(reference);
        ThrowIfDisposed();
        if (name is not null)
            CheckName(name);
        var (record, source) = await _learner.FindOrLearnAsync(reference, transcript, TimbreOrigin.Learnt, cancellationToken).ConfigureAwait(false);
        if (name is null)
            return _cache.Put(record, null, pinned: false, 0).From(source);
        if (_cache.Get(name) is not { } named || named.Owner.Record.Key != record.Key || !_finder.IsFresh(named))
            await _tiers.KeepAsync(record, name, pinned: false).ConfigureAwait(false);
        return _cache.Put(record, name, pinned: false, _time.GetTimestamp()).From(source);
    }

    /// <summary>As <see cref="AddAsync"/>, for a voice that the model came with: lists leave it out.</summary>
    internal async ValueTask<Timbre> AddPresetAsync(AudioClip reference, string? transcript, CancellationToken cancellationToken)
    {
        ThrowIfDisposed();
        var (record, source) = await _learner.FindOrLearnAsync(reference, transcript, TimbreOrigin.Preset, cancellationToken).ConfigureAwait(false);
        return record.ToTimbre(null, source);
    }

    public ValueTask<Timbre?> GetAsync(string nameOrId, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(nameOrId);
        ThrowIfDisposed();
        if (TimbreKey.TryParse(nameOrId, out var key))
            return _cache.Get(key) is { } here ? new ValueTask<Timbre?>(here.Anonymous) : _finder.FetchAsync(key, null, cancellationToken);
        if (!TimbreName.IsValid(nameOrId))
            return default;
        if (_presets.Contains(nameOrId))
            return WarnOfShadowedAsync(nameOrId);
        var known = _cache.Get(nameOrId);
        return known is not null && (!_tiers.Any || _finder.IsFresh(known)) ? new ValueTask<Timbre?>(known.Timbre)
            : _finder.FollowAsync(nameOrId, known, cancellationToken);
    }

    public async ValueTask<IReadOnlyList<TimbreInfo>> ListAsync(CancellationToken cancellationToken = default)
    {
        ThrowIfDisposed();
        cancellationToken.ThrowIfCancellationRequested();
        var found = await _tiers.ListAsync(_cache.List()).ConfigureAwait(false);
        return [.. found.Where(line => line.Entry.Origin != TimbreOrigin.Preset || line.Entry.Names.Count > 0).Select(line =>
            Describe(line.Entry, line.Source))
            .OrderBy(info => info.Name is null).ThenBy(info => info.Name, StringComparer.Ordinal).ThenBy(info => info.Id, StringComparer.Ordinal)];
    }

    public async ValueTask<bool> RemoveAsync(string nameOrId, CancellationToken cancellationToken = default)
    {
        if (await IdentifyAsync(nameOrId, cancellationToken).ConfigureAwait(false) is not var (key, name))
            return false;
        string[] names = [.. (await _tiers.ListAsync(_cache.List()).ConfigureAwait(false)).FirstOrDefault(line => line.Entry.Key == key).Entry?.Names
            ?? []];
        if (name is not null && names.Any(other => other != name))
        {
            await _tiers.UnbindAsync(name).ConfigureAwait(false);
            _cache.Unbind(name);
            return true;
        }
        await _tiers.RemoveAsync(key, [.. name is null ? names : names.Append(name).Distinct()]).ConfigureAwait(false);
        _cache.Remove(key);
        return true;
    }

    public async ValueTask<bool> RenameAsync(string nameOrId, string newName, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(newName);
        CheckName(newName);
        if (await IdentifyAsync(nameOrId, cancellationToken).ConfigureAwait(false) is not var (key, name)
            || await _finder.FindAsync(key).ConfigureAwait(false) is not { } voice)
            return false;
        if (newName == name)
            return true;
        if (await _finder.ResolveAsync(newName).ConfigureAwait(false) is { } other && other != key)
            throw new TtsRequestException($"There is another voice with the name '{newName}'. Remove it first, or choose another name.");
        await _tiers.KeepAsync(voice.Record, newName, voice.Pinned).ConfigureAwait(false);
        _cache.Put(voice.Record, newName, voice.Pinned, _time.GetTimestamp());
        if (name is not null)
        {
            await _tiers.UnbindAsync(name).ConfigureAwait(false);
            _cache.Unbind(name);
        }
        return true;
    }

    public async ValueTask<bool> SetPinnedAsync(string nameOrId, bool pinned, CancellationToken cancellationToken = default)
    {
        if (await IdentifyAsync(nameOrId, cancellationToken).ConfigureAwait(false) is not var (key, _)
            || await _finder.FindAsync(key).ConfigureAwait(false) is not { } voice)
            return false;
        if (pinned)
            _cache.Put(voice.Record, null, pinned: true, 0);
        var here = _cache.SetPinned(key, pinned);
        return await _tiers.SetPinnedAsync(key, pinned).ConfigureAwait(false) || here;
    }

    public async ValueTask ExportAsync(string nameOrId, Stream destination, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(destination);
        if (await IdentifyAsync(nameOrId, cancellationToken).ConfigureAwait(false) is not var (key, name)
            || await _finder.FindAsync(key).ConfigureAwait(false) is not { } voice)
            throw new TtsRequestException("There is no such voice to export; ListAsync shows those that there are.");
        using var file = new MemoryStream();
        TimbreFile.Write(file, voice.Record with { Origin = TimbreOrigin.Learnt }, _extractor, name);
        await destination.WriteAsync(file.GetBuffer().AsMemory(0, (int)file.Length), cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask<Timbre> ImportAsync(Stream source, string? name = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(source);
        ThrowIfDisposed();
        if (name is not null)
            CheckName(name);
        var (record, storedName) = await TimbreFile.ReadAsync(source, _extractor, _shape, cancellationToken).ConfigureAwait(false);
        name ??= storedName;
        if (name is not null)
            CheckName(name);
        record = record with { Origin = TimbreOrigin.Imported };
        if (record.Key == default)
            record = record with { Key = TimbreKey.OfContent(TimbreCodec.Encode(record, _extractor, null), _owner) };
        if (await _finder.FindAsync(record.Key).ConfigureAwait(false) is { } known)
        {
            // What was learnt from the audio itself is the voice; of two that only claim the identity, the first stays until it is removed.
            if (known.Record.Origin == TimbreOrigin.Imported
                && !TimbreCodec.Encode(known.Record, _extractor, null).AsSpan().SequenceEqual(TimbreCodec.Encode(record, _extractor, null)))
                throw new TtsTimbreException($"Another voice with this file's identity, {record.Key}, was imported before. Remove it first.");
            record = known.Record;
        }
        await _tiers.KeepAsync(record, name, pinned: false).ConfigureAwait(false);
        return _cache.Put(record, name, pinned: false, _time.GetTimestamp());
    }

    /// <summary>Says that a request uses a voice; see <see cref="TimbreLease"/>. Dispose it when the request ends, whichever way.</summary>
    internal TimbreLease Lease(Timbre timbre)
    {
        ThrowIfDisposed();
        TimbreKey.TryParse(timbre.Id, out var key);
        return _cache.Lease(key);
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        _cache.Clear();
        _tiers.Dispose();
    }

    // Users dispose of pipelines, never of their stores.
    private void ThrowIfDisposed()
    {
        if (Volatile.Read(ref _disposed) != 0)
            ThrowDisposed();
    }

    private static void ThrowDisposed() => throw new ObjectDisposedException(typeof(TtsPipeline).FullName);

    private void CheckName(string name)
    {
        TimbreName.Validate(name);
        if (_presets.Contains(name))
            throw new TtsRequestException($"'{name}' is one of the model's voices. Choose another name for the learnt voice.");
    }

    private ValueTask<(TimbreKey Key, string? Name)?> IdentifyAsync(string nameOrId, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(nameOrId);
        ThrowIfDisposed();
        return _finder.IdentifyAsync(nameOrId, cancellationToken);
    }

    private async ValueTask<Timbre?> WarnOfShadowedAsync(string preset)
    {
        lock (_presetsChecked)
            if (!_presetsChecked.Add(preset))
                return null;
        if (await _finder.ResolveAsync(preset).ConfigureAwait(false) is not null)
            TimbreLog.Shadowed(_logger, preset);
        return null;
    }

    private static TimbreInfo Describe(TierEntry entry, TimbreSource source) => new()
    {
        Id = entry.Key.ToString(),
        Names = [.. entry.Names.Order(StringComparer.Ordinal)],
        Transcript = entry.Transcript,
        Duration = entry.Duration,
        Bytes = entry.Bytes,
        CreatedAt = entry.CreatedAt,
        Pinned = entry.Pinned,
        Source = source,
    };
}
