namespace LightTts.Samples.Speak.Terminal;

/// <summary>What somebody may have meant.</summary>
internal static class Suggestion
{
    /// <summary>" Did you mean X?", or nothing where no name is near.</summary>
    public static string For(string typed, IEnumerable<string> names)
    {
        var nearest = names.Select(name => (Name: name, Distance: Distance(typed, name))).OrderBy(pair => pair.Distance).FirstOrDefault();
        return nearest.Name is not null && nearest.Distance <= Math.Max(1, typed.Length / 3) ? $" Did you mean {nearest.Name}?" : "";
    }

    /// <summary>Letters to insert, drop or replace (Levenshtein).</summary>
    private static int Distance(string left, string right)
    {
        var row = Enumerable.Range(0, right.Length + 1).ToArray();
        for (var i = 1; i <= left.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= right.Length; j++)
                (diagonal, row[j]) = (row[j], Math.Min(Math.Min(row[j], row[j - 1]) + 1, diagonal + (left[i - 1] == right[j - 1] ? 0 : 1)));
        }
        return row[^1];
    }
}
