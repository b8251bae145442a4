namespace LightTts;

/// <summary>Voices that were learnt from reference audio: each is extracted once, then found in this process or in a segment that all processes of the user share.</summary>
/// <remarks>
/// All members are safe to call from any thread. Voices that were not used for longest make room for new ones, unless they are pinned or in use;
/// a <see cref="Timbre"/> that the caller holds stays good whatever happens to the store.
/// Where the shared segment cannot be used, the store logs one warning and keeps voices in this process only.
/// </remarks>
public interface ITimbreStore : IDisposable
{
    /// <summary>Learns a voice, or finds it where the same audio and transcript were learnt before.</summary>
    /// <param name="reference">0.5 to 30 s of one person's clean speech, at 16 kHz or more.</param>
    /// <param name="transcript">What the audio says, word for word, or null where it is not known. At most 1,000 characters.</param>
    /// <param name="name">A name to find it by, or null. 1 to 64 letters, digits and <c>. _ -</c>, not starting with a dot; a name that is taken moves to this voice.</param>
    /// <param name="cancellationToken">Cancels the wait. The extraction itself goes on while another caller waits for it.</param>
    /// <returns>The voice.</returns>
    /// <exception cref="TtsAudioException">The audio cannot be used; the message says why. Nothing is kept of a failure: the next call tries again.</exception>
    /// <exception cref="TtsRequestException">The name or the transcript cannot be used.</exception>
    /// <exception cref="TtsSynthesisException">The models failed on this audio.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    ValueTask<Timbre> AddAsync(AudioClip reference, string? transcript = null, string? name = null, CancellationToken cancellationToken = default);

    /// <summary>As <see cref="AddAsync"/>, and says where the voice came from.</summary>
    /// <returns>The voice and its source.</returns>
    /// <inheritdoc cref="AddAsync"/>
    ValueTask<TimbreLookup> GetOrAddAsync(AudioClip reference, string? transcript = null, string? name = null, CancellationToken cancellationToken = default);

    /// <summary>Finds a voice by its name or its <see cref="Timbre.Id"/>.</summary>
    /// <param name="nameOrId">The name or the identity.</param>
    /// <returns>The voice, or null where there is none.</returns>
    /// <remarks>A name that another process moved to another voice or removed is seen within a second.</remarks>
    Timbre? Get(string nameOrId);

    /// <summary>As <see cref="Get"/>, and says where the voice came from.</summary>
    /// <param name="nameOrId">The name or the identity.</param>
    /// <param name="lookup">The voice and its source.</param>
    /// <returns>Whether there is one.</returns>
    bool TryGet(string nameOrId, out TimbreLookup lookup);

    /// <summary>Lists the voices in this process and in the shared segment, by name, then by identity.</summary>
    IReadOnlyList<TimbreInfo> List();

    /// <summary>Forgets a voice and its names, here and in the shared segment. Requests that use it go on.</summary>
    /// <param name="nameOrId">The name or the identity.</param>
    /// <returns>Whether there was one.</returns>
    /// <remarks>Another process that holds it under a name forgets that name within a second.</remarks>
    bool Remove(string nameOrId);

    /// <summary>Keeps a voice from making room for others, here and in the shared segment, until <see cref="Unpin"/>.</summary>
    /// <param name="nameOrId">The name or the identity.</param>
    /// <returns>Whether there is one.</returns>
    bool Pin(string nameOrId);

    /// <summary>Undoes <see cref="Pin"/>.</summary>
    /// <param name="nameOrId">The name or the identity.</param>
    /// <returns>Whether there is one.</returns>
    bool Unpin(string nameOrId);

    /// <summary>Writes a voice as a <c>.timbre</c> file, which holds no audio.</summary>
    /// <param name="nameOrId">The name or the identity.</param>
    /// <param name="destination">Where to write it.</param>
    /// <exception cref="TtsRequestException">There is no such voice.</exception>
    void Export(string nameOrId, Stream destination);

    /// <summary>Takes a voice from a <c>.timbre</c> file.</summary>
    /// <param name="source">The file's content, from the stream's position to its end; at most 16 MB are read.</param>
    /// <param name="name">A name to find it by. Null: the name in the file, where it has one.</param>
    /// <returns>The voice. Its identity covers what the file holds, so that a file can never pass for audio that it was not made from.</returns>
    /// <exception cref="TtsTimbreException">It is not a <c>.timbre</c> file, it is damaged, or it was made with another model.</exception>
    /// <exception cref="TtsRequestException"><paramref name="name"/> cannot be used.</exception>
    Timbre Import(Stream source, string? name = null);
}
