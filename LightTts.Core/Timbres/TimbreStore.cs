using LightTts.Diagnostics;
using LightTts.Timbres.Durable;
using LightTts.Timbres.Sharing;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace LightTts.Timbres;

/// <summary>Finds a voice in this process, then in the tiers behind it, and extracts it where none has it.</summary>
internal sealed class TimbreStore : ITimbreStore, IDisposable
{
    private const int MaxTranscript = 1000;
    private const int MinIdDigits = 8;

    /// <summary>How long a name found in this process is good before the tiers are asked whether it still stands for the same voice.</summary>
    private static readonly TimeSpan NameTrust = TimeSpan.FromSeconds(1);

    private readonly TimbreStoreOptions _options;
    private readonly Func<AudioClip, string?, CancellationToken, ValueTask<TimbreFeatures>> _extract;
    private readonly TimbreShape? _shape;
    private readonly HashSet<string> _presets;
    private readonly HashSet<string> _presetsChecked = [];
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly TimbreKey _extractor;
    private readonly TimbreKey _owner;
    private readonly TimbreCache _cache;
    private readonly TimbreTiers _tiers;
    private readonly SingleFlight<TimbreKey, (TimbreRecord Record, TimbreSource Source)> _flights = new();
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
        _options = options;
        _extract = extract;
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
        var (record, source) = await FindOrLearnAsync(reference, transcript, TimbreOrigin.Learnt, cancellationToken).ConfigureAwait(false);
        if (name is null)
            return _cache.Put(record, null, pinned: false, 0).From(source);
        if (_cache.Get(name) is not { } named || named.Owner.Record.Key != record.Key || !IsFresh(named))
            await _tiers.KeepAsync(record, name, pinned: false).ConfigureAwait(false);
        return _cache.Put(record, name, pinned: false, _time.GetTimestamp()).From(source);
    }

    /// <summary>As <see cref="AddAsync"/>, for a voice that the model came with: lists leave it out.</summary>
    internal async ValueTask<Timbre> AddPresetAsync(AudioClip reference, string? transcript, CancellationToken cancellationToken)
    {
        ThrowIfDisposed();
        var (record, source) = await FindOrLearnAsync(reference, transcript, TimbreOrigin.Preset, cancellationToken).ConfigureAwait(false);
        return record.ToTimbre(null, source);
    }

    public ValueTask<Timbre?> GetAsync(string nameOrId, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(nameOrId);
        ThrowIfDisposed();
        if (TimbreKey.TryParse(nameOrId, out var key))
            return _cache.Get(key) is { } here ? new ValueTask<Timbre?>(here.Anonymous) : FetchAsync(key, null, cancellationToken);
        if (!TimbreName.IsValid(nameOrId))
            return default;
        if (_presets.Contains(nameOrId))
            return WarnOfShadowedAsync(nameOrId);
        var known = _cache.Get(nameOrId);
        return known is not null && (!_tiers.Any || IsFresh(known)) ? new ValueTask<Timbre?>(known.Timbre)
            : FollowAsync(nameOrId, known, cancellationToken);
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
            || await FindAsync(key).ConfigureAwait(false) is not { } voice)
            return false;
        if (newName == name)
            return true;
        if (await ResolveAsync(newName).ConfigureAwait(false) is { } other && other != key)
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
            || await FindAsync(key).ConfigureAwait(false) is not { } voice)
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
            || await FindAsync(key).ConfigureAwait(false) is not { } voice)
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
        if (await FindAsync(record.Key).ConfigureAwait(false) is { } known)
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

    private async ValueTask<(TimbreRecord Record, TimbreSource Source)> FindOrLearnAsync(AudioClip reference, string? transcript, TimbreOrigin origin,
        CancellationToken cancellationToken)
    {
        CheckReference(reference, transcript);
        var key = TimbreKey.OfVoice(reference, transcript, _owner);
        var (record, source) = _cache.Get(key) is { Record: { Origin: not TimbreOrigin.Imported } known }
            ? (known, TimbreSource.Process)
            : await _flights.RunAsync(key, abandoned => LearnAsync(key, reference, transcript, origin, abandoned),
            cancellationToken).ConfigureAwait(false);
        LightTtsDiagnostics.CountLookup(hit: source != TimbreSource.Extracted);
        return (record, source);
    }

    private async Task<(TimbreRecord, TimbreSource)> LearnAsync(TimbreKey key, AudioClip reference, string? transcript, TimbreOrigin origin,
        CancellationToken abandoned)
    {
        // A file's claim to be this voice is not believed here, where the audio is at hand.
        if (_cache.Get(key) is { Record: { Origin: not TimbreOrigin.Imported } known })
            return (known, TimbreSource.Process);
        if (await _tiers.ReadAsync(key).ConfigureAwait(false) is { Voice.Record.Origin: not TimbreOrigin.Imported } shared)
            return Keep(shared.Voice.Record, shared.Voice.Pinned, shared.Source);
        using var turn = await _tiers.EnterExtractionAsync(key, _options.ExtractionWait, abandoned).ConfigureAwait(false);
        if (turn is not null && await _tiers.ReadAsync(key).ConfigureAwait(false) is { Voice.Record.Origin: not TimbreOrigin.Imported } published)
            return Keep(published.Voice.Record, published.Voice.Pinned, published.Source);
        abandoned.ThrowIfCancellationRequested();

        TimbreFeatures features;
        try
        {
            features = await _extract(reference, transcript, abandoned).ConfigureAwait(false);
        }
        catch (Exception e) when (e is not (TtsException or OperationCanceledException))
        {
            throw new TtsSynthesisException("The models failed on this reference audio.", e);
        }
        if (TimbreShape.Fault(features, _shape) is { } fault)
            throw new TtsAudioException($"No voice could be learnt from this audio: {fault}.");
        var created = DateTimeOffset.FromUnixTimeMilliseconds(_time.GetUtcNow().ToUnixTimeMilliseconds());
        var record = new TimbreRecord(key, transcript, reference.Duration, created, features, origin);
        await _tiers.KeepAsync(record, null, pinned: false).ConfigureAwait(false);
        return Keep(record, pinned: false, TimbreSource.Extracted);
    }

    private (TimbreRecord, TimbreSource) Keep(TimbreRecord record, bool pinned, TimbreSource source)
    {
        _cache.Put(record, null, pinned, 0);
        return (record, source);
    }

    private void CheckName(string name)
    {
        TimbreName.Validate(name);
        if (_presets.Contains(name))
            throw new TtsRequestException($"'{name}' is one of the model's voices. Choose another name for the learnt voice.");
    }

    private static void CheckReference(AudioClip reference, string? transcript)
    {
        if (transcript?.Length > MaxTranscript)
            throw new TtsRequestException($"A transcript has at most {MaxTranscript:N0} characters; this one has {transcript.Length:N0}.");
        // Checked before anything is hashed or allocated: a clip of hours costs nothing.
        if (reference.Samples.IsEmpty)
            throw new TtsAudioException($"The reference audio has no samples. {ReferenceLimits.Advice}");
        if (reference.Duration.TotalSeconds is < ReferenceLimits.MinSeconds or > ReferenceLimits.MaxSeconds)
            throw new TtsAudioException(
                $"The reference audio is {reference.Duration.TotalSeconds:0.##} s long; {ReferenceLimits.MinSeconds} to {ReferenceLimits.MaxSeconds} "
                + $"s are needed. {ReferenceLimits.Advice}");
    }

    // The name found in this process is trusted for a while, so that a hit makes no system call; then the tiers decide.
    private bool IsFresh(NamedTimbre named) => _time.GetElapsedTime(named.CheckedAt) < NameTrust;

    private async ValueTask<Timbre?> FollowAsync(string name, NamedTimbre? known, CancellationToken cancellationToken)
    {
        if (known is not null)
            known.CheckedAt = _time.GetTimestamp();
        var found = await _tiers.ResolveAsync(name).ConfigureAwait(false);
        switch (found.State)
        {
            case NameState.Bound when found.Target == known?.Owner.Record.Key:
                return known.Timbre;
            case NameState.Bound:
                return await FetchAsync(found.Target, name, cancellationToken).ConfigureAwait(false);
            case NameState.Removed:
            case NameState.Unknown when _tiers.KnowsEveryName:
                _cache.Unbind(name);
                return null;
            default:
                return known?.Timbre;
        }
    }

    private async ValueTask<Timbre?> FetchAsync(TimbreKey key, string? name, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (_cache.Get(key) is { } here)
            return _cache.Put(here.Record, name, pinned: false, _time.GetTimestamp());
        return await _tiers.ReadAsync(key).ConfigureAwait(false) is var (voice, source)
            ? _cache.Put(voice.Record, name, voice.Pinned, _time.GetTimestamp()).From(source) : null;
    }

    private async ValueTask<Timbre?> WarnOfShadowedAsync(string preset)
    {
        lock (_presetsChecked)
            if (!_presetsChecked.Add(preset))
                return null;
        if (await ResolveAsync(preset).ConfigureAwait(false) is not null)
            TimbreLog.Shadowed(_logger, preset);
        return null;
    }

    /// <summary>The voice that a name stands for now, a preset's name included: one from before may have to be removed.</summary>
    private async ValueTask<TimbreKey?> ResolveAsync(string name)
    {
        var found = await _tiers.ResolveAsync(name).ConfigureAwait(false);
        return found.State switch
        {
            NameState.Bound => found.Target,
            NameState.Unknown when !_tiers.KnowsEveryName => _cache.Get(name)?.Owner.Record.Key,
            NameState.Unreadable => _cache.Get(name)?.Owner.Record.Key,
            _ => null,
        };
    }

    /// <summary>Which voice is meant, and by which name, where it is meant by one.</summary>
    private async ValueTask<(TimbreKey Key, string? Name)?> IdentifyAsync(string nameOrId, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(nameOrId);
        ThrowIfDisposed();
        cancellationToken.ThrowIfCancellationRequested();
        if (TimbreKey.TryParse(nameOrId, out var key))
            return await FindAsync(key).ConfigureAwait(false) is null ? null : (key, null);
        if (TimbreName.IsValid(nameOrId) && await ResolveAsync(nameOrId).ConfigureAwait(false) is { } named)
            return (named, nameOrId);
        if (nameOrId.Length < MinIdDigits || !nameOrId.All(char.IsAsciiHexDigit))
            return null;
        var listed = await _tiers.ListAsync(_cache.List()).ConfigureAwait(false);
        TimbreKey[] meant = [.. listed.Select(line => line.Entry.Key).Where(candidate =>
            candidate.ToString().StartsWith(nameOrId, StringComparison.OrdinalIgnoreCase))];
        if (meant.Length > 1)
            throw new TtsRequestException($"{meant.Length} voices have an identity that starts with '{nameOrId}'. Give more of its digits.");
        return meant.Length == 0 ? null : (meant[0], null);
    }

    private async ValueTask<TierVoice?> FindAsync(TimbreKey key)
    {
        if (_cache.Get(key) is { } here)
            return new TierVoice(here.Record, here.Pinned, 0);
        return (await _tiers.ReadAsync(key).ConfigureAwait(false))?.Voice;
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
