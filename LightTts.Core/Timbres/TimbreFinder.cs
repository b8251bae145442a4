namespace LightTts.Timbres;

/// <summary>Which voice a name, or a part of an identity, means now, and where it is.</summary>
/// <param name="cache">This process's voices.</param>
/// <param name="tiers">The stores behind it, which decide.</param>
/// <param name="time">The clock.</param>
internal sealed class TimbreFinder(TimbreCache cache, TimbreTiers tiers, TimeProvider time)
{
    private const int MinIdDigits = 8;

    /// <summary>How long a name found in this process is good before the tiers are asked whether it still stands for the same voice.</summary>
    private static readonly TimeSpan NameTrust = TimeSpan.FromSeconds(1);

    /// <summary>Whether a name found in this process is trusted still, so that a hit makes no system call; after that the tiers decide.</summary>
    public bool IsFresh(NamedTimbre named) => time.GetElapsedTime(named.CheckedAt) < NameTrust;

    /// <summary>The voice that a name stands for by the tiers; null: none.</summary>
    /// <param name="name">The name.</param>
    /// <param name="known">What this process knows by it; null: nothing.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async ValueTask<Timbre?> FollowAsync(string name, NamedTimbre? known, CancellationToken cancellationToken)
    {
        if (known is not null)
            known.CheckedAt = time.GetTimestamp();
        var found = await tiers.ResolveAsync(name).ConfigureAwait(false);
        switch (found.State)
        {
            case NameState.Bound when found.Target == known?.Owner.Record.Key:
                return known.Timbre;
            case NameState.Bound:
                return await FetchAsync(found.Target, name, cancellationToken).ConfigureAwait(false);
            case NameState.Removed:
            case NameState.Unknown when tiers.KnowsEveryName:
                cache.Unbind(name);
                return null;
            default:
                return known?.Timbre;
        }
    }

    /// <summary>A voice of this process or of the tiers, kept in this process by this name from now on; null: nobody has it.</summary>
    public async ValueTask<Timbre?> FetchAsync(TimbreKey key, string? name, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (cache.Get(key) is { } here)
            return cache.Put(here.Record, name, pinned: false, time.GetTimestamp());
        return await tiers.ReadAsync(key).ConfigureAwait(false) is var (voice, source)
            ? cache.Put(voice.Record, name, voice.Pinned, time.GetTimestamp()).From(source) : null;
    }

    /// <summary>The voice that a name stands for now, a preset's name included: one from before may have to be removed.</summary>
    public async ValueTask<TimbreKey?> ResolveAsync(string name)
    {
        var found = await tiers.ResolveAsync(name).ConfigureAwait(false);
        return found.State switch
        {
            NameState.Bound => found.Target,
            NameState.Unknown when !tiers.KnowsEveryName => cache.Get(name)?.Owner.Record.Key,
            NameState.Unreadable => cache.Get(name)?.Owner.Record.Key,
            _ => null,
        };
    }

    /// <summary>Which voice is meant, and by which name, where it is meant by one.</summary>
    public async ValueTask<(TimbreKey Key, string? Name)?> IdentifyAsync(string nameOrId, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (TimbreKey.TryParse(nameOrId, out var key))
            return await FindAsync(key).ConfigureAwait(false) is null ? null : (key, null);
        if (TimbreName.IsValid(nameOrId) && await ResolveAsync(nameOrId).ConfigureAwait(false) is { } named)
            return (named, nameOrId);
        if (nameOrId.Length < MinIdDigits || !nameOrId.All(char.IsAsciiHexDigit))
            return null;
        var listed = await tiers.ListAsync(cache.List()).ConfigureAwait(false);
        TimbreKey[] meant = [.. listed.Select(line => line.Entry.Key).Where(candidate =>
            candidate.ToString().StartsWith(nameOrId, StringComparison.OrdinalIgnoreCase))];
        if (meant.Length > 1)
            throw new TtsRequestException($"{meant.Length} voices have an identity that starts with '{nameOrId}'. Give more of its digits.");
        return meant.Length == 0 ? null : (meant[0], null);
    }

    /// <summary>A voice's record, wherever it is; null: nobody has it.</summary>
    public async ValueTask<TierVoice?> FindAsync(TimbreKey key)
    {
        if (cache.Get(key) is { } here)
            return new TierVoice(here.Record, here.Pinned, 0);
        return (await tiers.ReadAsync(key).ConfigureAwait(false))?.Voice;
    }
}
