namespace LightTts.Timbres.Sharing;

/// <summary>Voices shared with other processes. No member throws because of the segment's state: what cannot be read is not there, what cannot be written is logged.</summary>
internal interface ITimbreSegment : IDisposable
{
    /// <summary>Reads a voice, or null where there is no intact one.</summary>
    SegmentVoice? Read(in TimbreKey key);

    /// <summary>Publishes a voice. Where it is there already, nothing is written.</summary>
    /// <returns>Whether other processes can read it now.</returns>
    bool Publish(TimbreRecord record, bool pinned);

    /// <summary>What a name stands for.</summary>
    /// <param name="name">The name.</param>
    /// <param name="target">The voice's key where the answer is <see cref="SegmentName.Bound"/>.</param>
    SegmentName Resolve(string name, out TimbreKey target);

    /// <summary>Lets a name stand for a voice.</summary>
    bool Bind(string name, in TimbreKey target);

    /// <summary>Forgets a voice and leaves a note at each of its names.</summary>
    bool Remove(in TimbreKey key, IReadOnlyCollection<string> names);

    /// <summary>Pins or unpins a voice.</summary>
    bool SetPinned(in TimbreKey key, bool pinned);

    /// <summary>All intact voices with their names.</summary>
    IReadOnlyList<(SegmentVoice Voice, IReadOnlyList<string> Names)> List();

    /// <summary>Waits until no other process (and no other store) extracts this voice. A process that dies lets go of it.</summary>
    /// <returns>What to dispose after publishing, or null where it took too long or cannot be done.</returns>
    IDisposable? EnterExtraction(in TimbreKey key, TimeSpan wait);
}
