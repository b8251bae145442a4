namespace LightTts.Timbres;

/// <summary>The tiers behind this process: one that saves time and may forget, one that keeps what has a name.</summary>
/// <param name="fast">Shared with other processes, or null.</param>
/// <param name="durable">Keeps named voices, and decides what a name stands for; or null.</param>
internal sealed class TimbreTiers(ITimbreTier? fast, ITimbreTier? durable) : IDisposable
{
    public bool Any => fast is not null || durable is not null;

    /// <summary>Whether a name that the tiers do not know was taken away.</summary>
    public bool KnowsEveryName => durable is not null;

    /// <summary>Reads a voice from the first tier that has it.</summary>
    public async ValueTask<(TierVoice Voice, TimbreSource Source)?> ReadAsync(TimbreKey key)
    {
        if (fast is not null && await fast.ReadAsync(key).ConfigureAwait(false) is { } shared)
            return (shared, TimbreSource.Segment);
        if (durable is null || await durable.ReadAsync(key).ConfigureAwait(false) is not { } kept)
            return null;
        if (fast is not null)
            await fast.KeepAsync(kept.Record, null, kept.Pinned).ConfigureAwait(false);
        return (kept, TimbreSource.Durable);
    }

    public async ValueTask<TierName> ResolveAsync(string name)
    {
        var kept = durable is null ? default : await durable.ResolveAsync(name).ConfigureAwait(false);
        if (kept.State == NameState.Bound || fast is null)
            return kept;
        var shared = await fast.ResolveAsync(name).ConfigureAwait(false);
        return shared.State == NameState.Unknown ? kept : shared;
    }

    /// <summary>Publishes a voice, and gives it the name where there is one: first where
    /// it is kept, so that no name is known that may be gone tomorrow.</summary>
    /// <exception cref="TtsTimbreException">It cannot be kept.</exception>
    public async ValueTask KeepAsync(TimbreRecord record, string? name, bool pinned)
    {
        if (durable is not null && name is not null)
            await durable.KeepAsync(record, name, pinned).ConfigureAwait(false);
        if (fast is not null)
            await fast.KeepAsync(record, name, pinned).ConfigureAwait(false);
    }

    public async ValueTask<bool> UnbindAsync(string name)
    {
        var kept = durable is not null && await durable.UnbindAsync(name).ConfigureAwait(false);
        var shared = fast is not null && await fast.UnbindAsync(name).ConfigureAwait(false);
        return kept || shared;
    }

    public async ValueTask<bool> RemoveAsync(TimbreKey key, IReadOnlyCollection<string> names)
    {
        var kept = durable is not null && await durable.RemoveAsync(key, names).ConfigureAwait(false);
        var shared = fast is not null && await fast.RemoveAsync(key, names).ConfigureAwait(false);
        return kept || shared;
    }

    public async ValueTask<bool> SetPinnedAsync(TimbreKey key, bool pinned)
    {
        var kept = durable is not null && await durable.SetPinnedAsync(key, pinned).ConfigureAwait(false);
        var shared = fast is not null && await fast.SetPinnedAsync(key, pinned).ConfigureAwait(false);
        return kept || shared;
    }

    public ValueTask<IDisposable?> EnterExtractionAsync(TimbreKey key, TimeSpan wait, CancellationToken cancellationToken) =>
        fast?.EnterExtractionAsync(key, wait, cancellationToken) ?? default;

    /// <summary>What there is, here and in the tiers. Where they differ about a name, the folder is right, then the segment.</summary>
    /// <param name="here">This process's.</param>
    public async ValueTask<IReadOnlyList<(TierEntry Entry, TimbreSource Source)>> ListAsync(IReadOnlyList<TierEntry> here)
    {
        var found = new Dictionary<TimbreKey, (TierEntry Entry, TimbreSource Source)>();
        var owners = new Dictionary<string, TimbreKey>(StringComparer.Ordinal);
        Merge(durable is null ? [] : await durable.ListAsync().ConfigureAwait(false), TimbreSource.Durable);
        Merge(fast is null ? [] : await fast.ListAsync().ConfigureAwait(false), TimbreSource.Segment);
        Merge(KnowsEveryName ? [.. here.Select(entry => entry with { Names = [.. entry.Names.Where(owners.ContainsKey)] })]
            : here, TimbreSource.Process);
        return [.. found.Values];

        void Merge(IReadOnlyList<TierEntry> entries, TimbreSource source)
        {
            foreach (var entry in entries)
            {
                var names = entry.Names.Where(name => owners.TryAdd(name, entry.Key) || owners[name] == entry.Key);
                var known = found.GetValueOrDefault(entry.Key).Entry;
                found[entry.Key] = (entry with { Names = [.. names.Union(known?.Names ?? [])], Pinned = entry.Pinned || known?.Pinned == true },
                    source);
            }
        }
    }

    public void Dispose()
    {
        fast?.Dispose();
        durable?.Dispose();
    }
}
