namespace LightTts.Benchmarks.Paced;

/// <summary>Adds up what many listeners heard; from any thread.</summary>
internal sealed class PacedTally
{
    private readonly Lock _lock = new();
    private readonly List<double> _firsts = [];
    private int _requests;
    private int _failures;
    private int _underruns;
    private TimeSpan _stalled;
    private TimeSpan _audio;

    /// <param name="first">From asking to the first audio; null where there was none.</param>
    /// <param name="playback">What became of it.</param>
    /// <param name="failed">Whether the request failed.</param>
    public void Add(TimeSpan? first, Playback playback, bool failed)
    {
        lock (_lock)
        {
            _requests++;
            _failures += failed ? 1 : 0;
            if (first is { } wait)
                _firsts.Add(wait.TotalMilliseconds);
            _underruns += playback.Underruns;
            _stalled += playback.Stalled;
            _audio += playback.Audio;
        }
    }

    public PacedRow Row(string mode, double offered, TimeSpan duration)
    {
        lock (_lock)
        {
            _firsts.Sort();
            return new PacedRow(mode, offered, _requests, _failures, _audio / duration, Percentile(0.5), Percentile(0.95), Percentile(0.99),
                _underruns, _stalled.TotalSeconds);
        }
    }

    private double Percentile(double part) => _firsts.Count == 0 ? double.NaN : _firsts[Math.Min(_firsts.Count - 1, (int)(part * _firsts.Count))];
}
