namespace LightTts.Benchmarks.Paced;

/// <summary>A listener's loudspeaker: plays what has arrived in real time and falls silent where the next sample is not there yet.</summary>
internal sealed class Playback(int sampleRate)
{
    private TimeSpan? _end; // when what has arrived is played out

    /// <summary>Times that it fell silent between two chunks.</summary>
    public int Underruns { get; private set; }

    /// <summary>How long it was silent in all.</summary>
    public TimeSpan Stalled { get; private set; }

    /// <summary>Audio that has arrived.</summary>
    public TimeSpan Audio { get; private set; }

    /// <summary>A chunk has arrived.</summary>
    /// <param name="now">On any clock that only goes forward.</param>
    /// <param name="samples">In the chunk.</param>
    public void Add(TimeSpan now, int samples)
    {
        if (now > _end)
        {
            Underruns++;
            Stalled += now - _end.Value;
        }
        var length = TimeSpan.FromSeconds((double)samples / sampleRate);
        Audio += length;
        _end = (_end > now ? _end.Value : now) + length;
    }

    /// <summary>What is still to be played.</summary>
    public TimeSpan Left(TimeSpan now) => _end > now ? _end.Value - now : TimeSpan.Zero;
}
