namespace LightTts.Cpu;

/// <summary>Divides work over threads.</summary>
internal static class SimdWork
{
    /// <summary>Calls back with ranges that together are 0 to <paramref name="count"/>, cut at multiples of <paramref name="grain"/>.</summary>
    /// <param name="threads">The most ranges that run side by side.</param>
    /// <param name="count">Where the last range ends.</param>
    /// <param name="grain">What every range but the last is a multiple of.</param>
    /// <param name="range">Given a range's start and its end.</param>
    public static void Split(int threads, int count, int grain, Action<int, int> range)
    {
        var parts = Math.Min(threads, count / grain);
        if (parts <= 1)
        {
            range(0, count);
            return;
        }
        var share = (count / grain + parts - 1) / parts * grain;
        Parallel.For(0, parts, part => range(Math.Min(part * share, count), part == parts - 1 ? count : Math.Min((part + 1) * share, count)));
    }
}
