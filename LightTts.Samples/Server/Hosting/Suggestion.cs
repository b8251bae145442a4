namespace LightTts.Samples.Server.Hosting;

/// <summary>What somebody may have meant.</summary>
internal static class Suggestion
{
    /// <summary>" Did you mean X?", or nothing where no name is near.</summary>
    public static string For(string typed, IEnumerable<string> names)
    {
        var nearest = names.MinBy(name => Distance(typed.ToUpperInvariant(), name.ToUpperInvariant()));
        return nearest is not null && Distance(typed.ToUpperInvariant(), nearest.ToUpperInvariant()) <= Math.Max(2, typed.Length / 3)
            ? $" Did you mean {nearest}?" : "";
    }

    /// <summary>Letters to insert, drop, replace or swap with their neighbour (optimal string alignment).</summary>
    private static int Distance(string left, string right)
    {
        var distances = new int[left.Length + 1, right.Length + 1];
        for (var i = 0; i <= left.Length; i++)
        {
            for (var j = 0; j <= right.Length; j++)
            {
                if (i == 0 || j == 0)
                {
                    distances[i, j] = i + j;
                    continue;
                }
                var other = left[i - 1] == right[j - 1] ? 0 : 1;
                var least = Math.Min(distances[i - 1, j - 1] + other, Math.Min(distances[i - 1, j], distances[i, j - 1]) + 1);
                var swapped = i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1];
                distances[i, j] = swapped ? Math.Min(least, distances[i - 2, j - 2] + 1) : least;
            }
        }
        return distances[left.Length, right.Length];
    }
}
