namespace LightTts.Timbres;

/// <summary>A voice with all that is kept of it. Immutable: nobody writes to the arrays once it is made.</summary>
/// <param name="Key">The identity.</param>
/// <param name="Transcript">What the reference audio says.</param>
/// <param name="Duration">The length of the reference audio.</param>
/// <param name="CreatedAt">When it was extracted or imported, to the millisecond.</param>
/// <param name="Features">What the models need.</param>
internal sealed record TimbreRecord(TimbreKey Key, string? Transcript, TimeSpan Duration, DateTimeOffset CreatedAt, TimbreFeatures Features)
{
    private const int ObjectOverhead = 512;

    /// <summary>Bytes of memory that it takes.</summary>
    public long MemoryBytes =>
        ObjectOverhead + 2L * ((Transcript?.Length ?? 0) + (Features.PromptText?.Length ?? 0)) + 4L * (Features.SpeechTokens.Length + Features.Mel.Length + Features.Embedding.Length);

    public Timbre ToTimbre(string? name) => new(Key.ToString(), name, Transcript, Duration, Features);
}
