using LightTts.Diagnostics;
using LightTts.Timbres.Sharing;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace LightTts.Timbres;

/// <summary>Finds a voice in this process, then in the segment, and extracts it where neither has it.</summary>
internal sealed class TimbreStore : ITimbreStore
{
    private const int MaxTranscript = 1000;
    private static readonly TimeSpan MinReference = TimeSpan.FromSeconds(0.5);
    private static readonly TimeSpan MaxReference = TimeSpan.FromSeconds(30);

    /// <summary>How long a name found in this process is good before the segment is asked whether it still stands for the same voice.</summary>
    private static readonly TimeSpan NameTrust = TimeSpan.FromSeconds(1);

    private readonly TimbreStoreOptions _options;
    private readonly Func<AudioClip, string?, CancellationToken, ValueTask<TimbreFeatures>> _extract;
    private readonly TimbreShape? _shape;
    private readonly TimeProvider _time;
    private readonly TimbreKey _extractor;
    private readonly TimbreKey _owner;
    private readonly TimbreCache _cache;
    private readonly ITimbreSegment? _segment;
    private readonly SingleFlight<TimbreKey, (TimbreRecord Record, TimbreSource Source)> _flights = new();
    private int _disposed;

    /// <param name="options">How voices are kept.</param>
    /// <param name="extractorId">Identifies the feature extractors: voices made by one are not good for another.</param>
    /// <param name="extract">Extracts a voice; called once for each voice, on a thread of the pool.</param>
    /// <param name="shape">What the model takes as a voice; null takes any.</param>
    /// <param name="logger">Where warnings go.</param>
    /// <param name="time">The clock.</param>
    public TimbreStore(
        TimbreStoreOptions options,
        string extractorId,
        Func<AudioClip, string?, CancellationToken, ValueTask<TimbreFeatures>> extract,
        TimbreShape? shape = null,
        ILogger? logger = null,
        TimeProvider? time = null)
    {
        options.Validate();
        _options = options;
        _extract = extract;
        _shape = shape;
        _time = time ?? TimeProvider.System;
        _extractor = TimbreKey.OfOwner(extractorId, null);
        _owner = TimbreKey.OfOwner(extractorId, options.Tenant);
        _cache = new TimbreCache(options.ProcessBytes, options.MaxTimbres);
        _segment = options.Shared ? TimbreSegment.Open(options, _owner, _extractor, shape, logger ?? NullLogger.Instance) : null;
    }

    /// <summary>This process's part.</summary>
    internal TimbreCache Cache => _cache;

    public async ValueTask<Timbre> AddAsync(AudioClip reference, string? transcript = null, string? name = null, CancellationToken cancellationToken = default) =>
        (await GetOrAddAsync(reference, transcript, name, cancellationToken).ConfigureAwait(false)).Timbre;

    public async ValueTask<TimbreLookup> GetOrAddAsync(AudioClip reference, string? transcript = null, string? name = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(reference);
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _disposed) != 0, typeof(ITimbreStore));
        Validate(reference, transcript, name);
        var key = TimbreKey.OfVoice(reference, transcript, _owner);
        if (_cache.Get(key) is { } known)
        {
            LightTtsDiagnostics.CountLookup(hit: true);
            return new TimbreLookup(name is null ? known : Name(key, name) ?? known, TimbreSource.Process);
        }

        var (record, source) = await _flights.RunAsync(key, abandoned => LearnAsync(key, reference, transcript, abandoned), cancellationToken).ConfigureAwait(false);
        LightTtsDiagnostics.CountLookup(hit: source != TimbreSource.Extracted);
        var timbre = _cache.Put(record, name, pinned: false, _time.GetTimestamp());
        if (name is not null)
            _segment?.Bind(name, key);
        return new TimbreLookup(timbre, source);
    }

    public Timbre? Get(string nameOrId) => TryGet(nameOrId, out var lookup) ? lookup.Timbre : null;

    public bool TryGet(string nameOrId, out TimbreLookup lookup)
    {
        ArgumentNullException.ThrowIfNull(nameOrId);
        if (TimbreKey.TryParse(nameOrId, out var key))
            return TryGet(key, null, out lookup);
        lookup = default;
        if (!TimbreName.IsValid(nameOrId))
            return false;
        if (_cache.Get(nameOrId) is { } named && (_segment is null || StillStands(named, nameOrId)))
        {
            lookup = new TimbreLookup(named.Timbre, TimbreSource.Process);
            return true;
        }
        return _segment?.Resolve(nameOrId, out key) == SegmentName.Bound && TryGet(key, nameOrId, out lookup);
    }

    public IReadOnlyList<TimbreInfo> List()
    {
        var found = new Dictionary<TimbreKey, TimbreInfo>();
        foreach (var (voice, names) in _segment?.List() ?? [])
            found[voice.Record.Key] = Describe(voice.Record, names, voice.Bytes, voice.Pinned, TimbreSource.Segment);
        foreach (var (record, names, pinned) in _cache.Snapshot())
        {
            var shared = found.GetValueOrDefault(record.Key);
            found[record.Key] = Describe(record, names.Union(shared?.Names ?? []), record.MemoryBytes, pinned || shared?.Pinned == true, TimbreSource.Process);
        }
        return [.. found.Values.OrderBy(info => info.Name is null).ThenBy(info => info.Name, StringComparer.Ordinal).ThenBy(info => info.Id, StringComparer.Ordinal)];
    }

    public bool Remove(string nameOrId)
    {
        if (!TryFind(nameOrId, out var key))
            return false;
        string[] names = [.. List().FirstOrDefault(info => info.Id == key.ToString())?.Names ?? []];
        var here = _cache.Remove(key);
        return _segment?.Remove(key, names) == true || here;
    }

    public bool Pin(string nameOrId) => SetPinned(nameOrId, true);

    public bool Unpin(string nameOrId) => SetPinned(nameOrId, false);

    public void Export(string nameOrId, Stream destination)
    {
        ArgumentNullException.ThrowIfNull(destination);
        if (!TryFind(nameOrId, out var key) || Find(key, out _) is not { } record)
            throw new TtsRequestException("There is no such voice to export; List shows those that there are.");
        TimbreFile.Write(destination, record, _extractor, TimbreKey.TryParse(nameOrId, out _) ? null : nameOrId);
    }

    public Timbre Import(Stream source, string? name = null)
    {
        ArgumentNullException.ThrowIfNull(source);
        if (name is not null)
            TimbreName.Validate(name);
        var (record, storedName) = TimbreFile.Read(source, _extractor, _shape);
        name ??= storedName;
        // The identity in the file is a claim. It is believed only where it adds nothing: where this very voice is known under it.
        var body = TimbreCodec.Encode(record, _extractor, null);
        if (Find(record.Key, out var pinned) is not { } known || !TimbreCodec.Encode(known, _extractor, null).AsSpan().SequenceEqual(body))
        {
            record = record with { Key = TimbreKey.OfContent(body, _owner) };
            _segment?.Publish(record, pinned = false);
        }
        var timbre = _cache.Put(record, name, pinned, _time.GetTimestamp());
        if (name is not null)
            _segment?.Bind(name, record.Key);
        return timbre;
    }

    /// <summary>Says that a request uses a voice; see <see cref="TimbreLease"/>. Dispose it when the request ends, whichever way.</summary>
    internal TimbreLease Lease(Timbre timbre)
    {
        TimbreKey.TryParse(timbre.Id, out var key);
        return _cache.Lease(timbre, new TimbreRecord(key, timbre.Transcript, timbre.Duration, _time.GetUtcNow(), timbre.Features));
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        _cache.Dispose();
        _segment?.Dispose();
    }

    private async Task<(TimbreRecord, TimbreSource)> LearnAsync(TimbreKey key, AudioClip reference, string? transcript, CancellationToken abandoned)
    {
        if (_cache.GetRecord(key) is { } known)
            return (known, TimbreSource.Process);
        if (_segment?.Read(key) is { } shared)
            return Keep(shared.Record, shared.Pinned, TimbreSource.Segment);
        using var turn = _segment?.EnterExtraction(key, _options.ExtractionWait);
        if (turn is not null && _segment?.Read(key) is { } published)
            return Keep(published.Record, published.Pinned, TimbreSource.Segment);
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
        var record = new TimbreRecord(key, transcript, reference.Duration, created, features);
        _segment?.Publish(record, pinned: false);
        return Keep(record, pinned: false, TimbreSource.Extracted);
    }

    private (TimbreRecord, TimbreSource) Keep(TimbreRecord record, bool pinned, TimbreSource source)
    {
        _cache.Put(record, null, pinned, 0);
        return (record, source);
    }

    private static void Validate(AudioClip reference, string? transcript, string? name)
    {
        if (name is not null)
            TimbreName.Validate(name);
        if (transcript?.Length > MaxTranscript)
            throw new TtsRequestException($"A transcript has at most {MaxTranscript:N0} characters; this one has {transcript.Length:N0}.");
        // Checked before anything is hashed or allocated: a clip of hours costs nothing.
        if (reference.Samples.IsEmpty)
            throw new TtsAudioException("The reference audio has no samples. Record 3 to 10 s of one person's clean speech.");
        if (reference.Duration < MinReference || reference.Duration > MaxReference)
            throw new TtsAudioException(
                $"The reference audio is {reference.Duration.TotalSeconds:0.##} s long; {MinReference.TotalSeconds} to {MaxReference.TotalSeconds} s are needed. 3 to 10 s work best.");
    }

    // The name found in this process is trusted for a while, so that a hit makes no system call; then the segment decides, where it knows the name.
    private bool StillStands(NamedTimbre named, string name)
    {
        var now = _time.GetTimestamp();
        if (_time.GetElapsedTime(named.CheckedAt, now) < NameTrust)
            return true;
        named.CheckedAt = now;
        switch (_segment!.Resolve(name, out var target))
        {
            case SegmentName.Removed:
                _cache.Unbind(name);
                return false;
            case SegmentName.Bound when target != named.Owner.Record.Key:
                return false;
            default:
                return true;
        }
    }

    private bool TryGet(in TimbreKey key, string? name, out TimbreLookup lookup)
    {
        var now = name is null ? 0 : _time.GetTimestamp();
        if ((name is null ? _cache.Get(key) : _cache.Bind(key, name, now)) is { } here)
            lookup = new TimbreLookup(here, TimbreSource.Process);
        else if (_segment?.Read(key) is { } shared)
            lookup = new TimbreLookup(_cache.Put(shared.Record, name, shared.Pinned, now), TimbreSource.Segment);
        else
            lookup = default;
        return lookup.Timbre is not null;
    }

    private Timbre? Name(in TimbreKey key, string name)
    {
        if (_cache.GetRecord(key) is { } record && _segment?.Publish(record, pinned: false) == true)
            _segment.Bind(name, key);
        return _cache.Bind(key, name, _time.GetTimestamp());
    }

    private bool TryFind(string nameOrId, out TimbreKey key)
    {
        ArgumentNullException.ThrowIfNull(nameOrId);
        key = default;
        return TryGet(nameOrId, out var lookup) && TimbreKey.TryParse(lookup.Timbre.Id, out key);
    }

    private TimbreRecord? Find(in TimbreKey key, out bool pinned)
    {
        pinned = false;
        if (_cache.GetRecord(key) is { } here)
            return here;
        if (_segment?.Read(key) is not { } shared)
            return null;
        pinned = shared.Pinned;
        return shared.Record;
    }

    private bool SetPinned(string nameOrId, bool pinned)
    {
        if (!TryFind(nameOrId, out var key))
            return false;
        var here = _cache.SetPinned(key, pinned);
        return _segment?.SetPinned(key, pinned) == true || here;
    }

    private static TimbreInfo Describe(TimbreRecord record, IEnumerable<string> names, long bytes, bool pinned, TimbreSource source) => new()
    {
        Id = record.Key.ToString(),
        Names = [.. names.Order(StringComparer.Ordinal)],
        Transcript = record.Transcript,
        Duration = record.Duration,
        Bytes = bytes,
        CreatedAt = record.CreatedAt,
        Pinned = pinned,
        Source = source,
    };
}
