namespace LightTts.Models.CosyVoice.Flow.DiT;

/// <summary>The schedules of an estimator, each made at its first use; passes of several threads may ask at the same time.</summary>
/// <param name="weights">The transformer's.</param>
/// <param name="fold">Whether their tables hold <see cref="DiTFold"/>.</param>
internal sealed class DiTSchedules(DiTWeights weights, bool fold = false) : IDisposable
{
    private const int Most = 8;

    private readonly Dictionary<int, DiTSchedule> _schedules = [];

    /// <summary>The schedule of so many times, held for the caller.</summary>
    public DiTSchedule Hold(float[] times)
    {
        lock (_schedules)
        {
            if (_schedules.TryGetValue(times.Length, out var schedule))
                return schedule.Hold();
            if (_schedules.Count >= Most)
                Dispose();
            return (_schedules[times.Length] = new DiTSchedule(weights, times, fold)).Hold();
        }
    }

    public void Dispose()
    {
        foreach (var schedule in _schedules.Values)
            schedule.Dispose();
        _schedules.Clear();
    }
}
