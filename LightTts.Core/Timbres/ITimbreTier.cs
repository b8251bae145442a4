namespace LightTts.Timbres;

/// <summary>A place behind this process where voices are kept for other processes, or for
/// later: a segment in shared memory, a folder on disk, a server.</summary>
/// <remarks>Safe to use from any thread. What cannot be read is not there. What cannot be
/// written is the tier's affair where it only saves time (it logs that once and
/// answers false), and an error where it promised to keep it.</remarks>
internal interface ITimbreTier : IDisposable
{
    /// <summary>Reads a voice, or null where there is no intact one.</summary>
    ValueTask<TierVoice?> ReadAsync(TimbreKey key);

    /// <summary>What a name stands for.</summary>
    ValueTask<TierName> ResolveAsync(string name);

    /// <summary>Keeps a voice, and lets a name stand for it where one is given. An intact copy
    /// that is there already stays, unless it was imported and this one was not.</summary>
    /// <returns>Whether others can find it now.</returns>
    /// <exception cref="TtsTimbreException">The tier promised to keep it and cannot.</exception>
    ValueTask<bool> KeepAsync(TimbreRecord record, string? name, bool pinned);

    /// <summary>Takes a name away; the voice stays.</summary>
    /// <exception cref="TtsTimbreException">It cannot be written.</exception>
    ValueTask<bool> UnbindAsync(string name);

    /// <summary>Forgets a voice and these names of it, and whatever other names of it the tier knows.</summary>
    /// <exception cref="TtsTimbreException">It cannot be written.</exception>
    ValueTask<bool> RemoveAsync(TimbreKey key, IReadOnlyCollection<string> names);

    /// <summary>Pins or unpins a voice.</summary>
    ValueTask<bool> SetPinnedAsync(TimbreKey key, bool pinned);

    /// <summary>All voices that are kept, with their names.</summary>
    ValueTask<IReadOnlyList<TierEntry>> ListAsync();

    /// <summary>Waits until no other process (and no other store) extracts this voice. A process that dies lets go of it.</summary>
    /// <returns>What to dispose after publishing, or null where it took too long or cannot be done.</returns>
    ValueTask<IDisposable?> EnterExtractionAsync(TimbreKey key, TimeSpan wait, CancellationToken cancellationToken);
}
