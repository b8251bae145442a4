namespace LightTts.Benchmarks.Paced;

/// <summary>Finds the largest number for which something holds that holds for all smaller ones.</summary>
internal static class LargestThatHolds
{
    /// <summary>Doubles until it does not hold, then halves the gap, down to a sixteenth of the number.</summary>
    /// <param name="first">Where to begin, at least 1.</param>
    /// <param name="most">No number above this is tried.</param>
    /// <param name="holds">Tries one.</param>
    /// <returns>0 where it does not hold for 1.</returns>
    public static async Task<int> FindAsync(int first, int most, Func<int, Task<bool>> holds)
    {
        var (good, bad) = (0, most + 1);
        var next = Math.Clamp(first, 1, most);
        while (bad - good > Math.Max(1, good / 16))
        {
            if (await holds(next))
                good = next;
            else
                bad = next;
            next = bad > most ? Math.Min(2 * good, most) : (good + bad) / 2;
        }
        return good;
    }
}
