namespace LightTts;

/// <summary>Voices that were learnt from reference audio, each extracted once.</summary>
/// <remarks>All members are safe to call from any thread.</remarks>
public interface ITimbreStore : IDisposable
{
    /// <summary>Learns a voice, or finds it where the same audio and transcript were learnt before.</summary>
    /// <param name="reference">0.5 to 30 s of one person's clean speech, at 16 kHz or more.</param>
    /// <param name="transcript">What the audio says, word for word, or null where it is not known.</param>
    /// <param name="name">A name to find it by, or null.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="TtsAudioException">The audio cannot be used; the message says why.</exception>
    ValueTask<Timbre> AddAsync(AudioClip reference, string? transcript = null, string? name = null, CancellationToken cancellationToken = default);

    /// <summary>Finds a voice by its name or its <see cref="Timbre.Id"/>.</summary>
    /// <param name="nameOrId">The name or the identity.</param>
    /// <returns>The voice, or null where there is none.</returns>
    Timbre? Get(string nameOrId);
}
