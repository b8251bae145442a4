namespace LightTts.Timbres;

/// <summary>A voice with all that is kept of it. Immutable: nobody writes to the arrays once it is made.</summary>
/// <param name="Key">The identity.</param>
/// <param name="Transcript">What the reference audio says.</param>
/// <param name="Duration">The length of the reference audio.</param>
/// <param name="CreatedAt">When it was extracted or imported, to the millisecond.</param>
/// <param name="Features">What the models need.</param>
/// <param name="Origin">How it came to be known.</param>
internal sealed record TimbreRecord(
    TimbreKey Key, string? Transcript, TimeSpan Duration, DateTimeOffset CreatedAt, TimbreFeatures Features,
    TimbreOrigin Origin = TimbreOrigin.Learnt)
{
    private const int ObjectOverhead = 512;

    /// <summary>Bytes of memory that it takes.</summary>
    public long MemoryBytes =>
        ObjectOverhead + 2L * ((Transcript?.Length ?? 0) + (Features.PromptText?.Length ?? 0))
        + 4L * (Features.SpeechTokens.Length + Features.Mel.Length + Features.Embedding.Length);

    /// <summary>Whether it may take the place of another record with its key: what was
    /// learnt from the audio itself is better than what a file claims to be.</summary>
    public bool Supersedes(TimbreRecord other) => other.Origin == TimbreOrigin.Imported && Origin != TimbreOrigin.Imported;

    public Timbre ToTimbre(string? name, TimbreSource source = TimbreSource.Process) =>
        new(Key.ToString(), name, Transcript, Duration, Features, source);
}
