namespace LightTts;

/// <summary>Voices that were learnt from reference audio: each is extracted once, then found
/// in this process, in a segment that all processes of the user share, or on disk.</summary>
/// <remarks>
/// All members are safe to call from any thread; none blocks the caller on a lock of
/// another process or on the models' work. The pipeline closes its store when it is
/// disposed; from then on every member throws <see cref="ObjectDisposedException"/>.
/// Voices with a name are kept on disk until they are removed (<see cref="TimbreStoreOptions.Durable"/>).
/// Those without make room for new ones when they were not used for
/// longest, unless they are pinned or in use, and are gone when the system starts anew. A
/// <see cref="Timbre"/> that the caller holds stays good whatever happens to the store.
/// Where the shared segment cannot be used, the store logs one warning and goes on
/// without. Only adding, importing, renaming, pinning and removing make files or folders.
/// </remarks>
public interface ITimbreStore
{
    /// <summary>Learns a voice, or finds it where the same audio and transcript were learnt before; <see cref="Timbre.Source"/> says which.</summary>
    /// <param name="reference">0.5 to 30 s of one person's clean speech, at 16 kHz or more.</param>
    /// <param name="transcript">What the audio says, word for word: it makes the voice closer.
    /// Null where it is not known (cross-lingual use). At most 1,000 characters.</param>
    /// <param name="name">A name to find it by, or null. 1 to 64 letters, digits and <c>. _
    /// -</c>, not starting with a dot, not the name of one of the model's voices. A voice may
    /// have several names; a name that is taken moves to this voice, and where two
    /// processes give one name at once, the later one has it, for all.</param>
    /// <param name="cancellationToken">Cancels the wait. The extraction itself goes on while another caller waits for it.</param>
    /// <returns>The voice.</returns>
    /// <exception cref="TtsAudioException">The audio cannot be used; the message says
    /// why. Nothing is kept of a failure: the next call tries again.</exception>
    /// <exception cref="TtsRequestException">The name or the transcript cannot be used.</exception>
    /// <exception cref="TtsTimbreException">The named voice cannot be kept on disk; the message says why, and the cure.</exception>
    /// <exception cref="TtsSynthesisException">The models failed on this audio.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    ValueTask<Timbre> AddAsync(AudioClip reference, string? transcript = null, string? name = null, CancellationToken cancellationToken = default);

    /// <summary>Finds a voice by its name or its <see cref="Timbre.Id"/>. The model's own voices are not found here; requests name them.</summary>
    /// <param name="nameOrId">The name or the identity.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <returns>The voice, or null where there is none.</returns>
    /// <remarks>A name that another process moved to another voice or removed is seen within
    /// a second. A voice that this process holds is found without a system call.</remarks>
    ValueTask<Timbre?> GetAsync(string nameOrId, CancellationToken cancellationToken = default);

    /// <summary>Lists the voices in this process, in the shared segment and on disk, by
    /// name, then by identity; a voice with several names once.</summary>
    /// <param name="cancellationToken">Cancels the wait.</param>
    ValueTask<IReadOnlyList<TimbreInfo>> ListAsync(CancellationToken cancellationToken = default);

    /// <summary>By a name: takes the name away, and the voice with the last of its names. By
    /// the identity: forgets the voice and all its names. Requests that use it go on.</summary>
    /// <param name="nameOrId">The name, the identity, or the first 8 or more digits of the identity where no other voice has them.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <returns>Whether there was one.</returns>
    /// <remarks>Another process that holds it under a name forgets that name within a second.</remarks>
    /// <exception cref="TtsRequestException">Several voices have these first digits.</exception>
    /// <exception cref="TtsTimbreException">The copy on disk cannot be removed.</exception>
    ValueTask<bool> RemoveAsync(string nameOrId, CancellationToken cancellationToken = default);

    /// <summary>Gives a voice another name in place of this one; found by its identity, it gets a further name.</summary>
    /// <param name="nameOrId">The name, or the identity as in <see cref="RemoveAsync"/>.</param>
    /// <param name="newName">The name to give, as in <see cref="AddAsync"/>.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <returns>Whether there is such a voice.</returns>
    /// <exception cref="TtsRequestException"><paramref name="newName"/> cannot be used, or is another voice's name.</exception>
    /// <exception cref="TtsTimbreException">The named voice cannot be kept on disk.</exception>
    ValueTask<bool> RenameAsync(string nameOrId, string newName, CancellationToken cancellationToken = default);

    /// <summary>Keeps a voice from making room for others, in this process and in the shared segment, or ends that.</summary>
    /// <param name="nameOrId">The name, or the identity as in <see cref="RemoveAsync"/>.</param>
    /// <param name="pinned">Whether to keep it.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <returns>Whether there is such a voice.</returns>
    ValueTask<bool> SetPinnedAsync(string nameOrId, bool pinned, CancellationToken cancellationToken = default);

    /// <summary>Writes a voice as a <c>.timbre</c> file, which holds no audio.</summary>
    /// <param name="nameOrId">The name, or the identity as in <see cref="RemoveAsync"/>.</param>
    /// <param name="destination">Where to write it.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="TtsRequestException">There is no such voice.</exception>
    ValueTask ExportAsync(string nameOrId, Stream destination, CancellationToken cancellationToken = default);

    /// <summary>Takes a voice from a <c>.timbre</c> file. It keeps its identity.</summary>
    /// <param name="source">The file's content, from the stream's position to its end; at most 16 MB are read.</param>
    /// <param name="name">A name to find it by. Null: the name in the file, where it has one.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <returns>The voice. Where the audio that its identity stands for is added later,
    /// the voice is learnt from the audio: a file never passes for it.</returns>
    /// <exception cref="TtsTimbreException">It is not a <c>.timbre</c> file, it is damaged,
    /// it was made with another model, or the named voice cannot be kept on disk.</exception>
    /// <exception cref="TtsRequestException">The name cannot be used.</exception>
    ValueTask<Timbre> ImportAsync(Stream source, string? name = null, CancellationToken cancellationToken = default);
}
