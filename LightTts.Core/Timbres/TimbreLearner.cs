using LightTts.Diagnostics;

namespace LightTts.Timbres;

/// <summary>Learns voices from audio, each once: in this process, and among the processes that share a tier.</summary>
/// <param name="options">How long to wait for another process's extraction.</param>
/// <param name="extract">Extracts a voice; called once for each, on a thread of the pool.</param>
/// <param name="shape">What the model takes as a voice; null takes any.</param>
/// <param name="owner">Whose voices they are: the extractors' and the tenant's.</param>
/// <param name="cache">This process's voices.</param>
/// <param name="tiers">The stores behind it.</param>
/// <param name="time">The clock.</param>
internal sealed class TimbreLearner(TimbreStoreOptions options, Func<AudioClip, string?, CancellationToken, ValueTask<TimbreFeatures>> extract,
    TimbreShape? shape, TimbreKey owner, TimbreCache cache, TimbreTiers tiers, TimeProvider time)
{
    private const int MaxTranscript = 1000;

    private readonly SingleFlight<TimbreKey, (TimbreRecord Record, TimbreSource Source)> _flights = new();

    /// <summary>The voice of this audio, extracted where nobody has it; requests for one voice at once share one extraction.</summary>
    /// <exception cref="TtsRequestException">The transcript is too long.</exception>
    /// <exception cref="TtsAudioException">The audio is empty, too short or too long, or no voice could be learnt from it.</exception>
    /// <exception cref="TtsSynthesisException">The models failed on it.</exception>
    public async ValueTask<(TimbreRecord Record, TimbreSource Source)> FindOrLearnAsync(AudioClip reference, string? transcript, TimbreOrigin origin,
        CancellationToken cancellationToken)
    {
        CheckReference(reference, transcript);
        var key = TimbreKey.OfVoice(reference, transcript, owner);
        var (record, source) = cache.Get(key) is { Record: { Origin: not TimbreOrigin.Imported } known }
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
        if (cache.Get(key) is { Record: { Origin: not TimbreOrigin.Imported } known })
            return (known, TimbreSource.Process);
        if (await tiers.ReadAsync(key).ConfigureAwait(false) is { Voice.Record.Origin: not TimbreOrigin.Imported } shared)
            return Keep(shared.Voice.Record, shared.Voice.Pinned, shared.Source);
        using var turn = await tiers.EnterExtractionAsync(key, options.ExtractionWait, abandoned).ConfigureAwait(false);
        if (turn is not null && await tiers.ReadAsync(key).ConfigureAwait(false) is { Voice.Record.Origin: not TimbreOrigin.Imported } published)
            return Keep(published.Voice.Record, published.Voice.Pinned, published.Source);
        abandoned.ThrowIfCancellationRequested();

        TimbreFeatures features;
        try
        {
            features = await extract(reference, transcript, abandoned).ConfigureAwait(false);
        }
        catch (Exception e) when (e is not (TtsException or OperationCanceledException))
        {
            throw new TtsSynthesisException("The models failed on this reference audio.", e);
        }
        if (TimbreShape.Fault(features, shape) is { } fault)
            throw new TtsAudioException($"No voice could be learnt from this audio: {fault}.");
        var created = DateTimeOffset.FromUnixTimeMilliseconds(time.GetUtcNow().ToUnixTimeMilliseconds());
        var record = new TimbreRecord(key, transcript, reference.Duration, created, features, origin);
        await tiers.KeepAsync(record, null, pinned: false).ConfigureAwait(false);
        return Keep(record, pinned: false, TimbreSource.Extracted);
    }

    private (TimbreRecord, TimbreSource) Keep(TimbreRecord record, bool pinned, TimbreSource source)
    {
        cache.Put(record, null, pinned, 0);
        return (record, source);
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
}
