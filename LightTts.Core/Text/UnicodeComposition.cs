using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace LightTts.Text;

/// <summary>Unicode normalisation form C (UAX #15), the same in every process.</summary>
/// <remarks><see cref="string.Normalize()"/> returns its input where an application sets
/// InvariantGlobalization, which would silently change token ids.
/// Thread-safe.</remarks>
internal static class UnicodeComposition
{
    private const int HangulS = 0xAC00, HangulL = 0x1100, HangulV = 0x1161, HangulT = 0x11A7, LCount = 19, VCount = 21, TCount = 28;

    private static readonly Lazy<Tables> s_tables = new(Tables.Parse);

    /// <summary>The text in form C, lone surrogates replaced by U+FFFD. Time is linear but for runs of combining marks, which are sorted.</summary>
    public static string Normalize(ReadOnlySpan<char> text)
    {
        // Everything below U+0300 is in form C already; so is text without marks and such, once the tables say so.
        if (!text.ContainsAnyExceptInRange('\0', '\u02FF'))
            return text.ToString();
        var tables = s_tables.Value;
        var plain = true;
        foreach (var rune in text.EnumerateRunes())
            if (rune.Value >= 0x300 && (rune.Value == 0xFFFD || tables.MayChange(rune.Value)))
            {
                plain = false;
                break;
            }
        return plain ? text.ToString() : Compose(Decompose(text, tables), tables);
    }

    /// <summary>Whether form C of the text before this position is never changed by what
    /// follows: the code point here starts a fresh sequence.</summary>
    /// <param name="text">Any text.</param>
    /// <param name="position">An index into it.</param>
    public static bool IsBoundary(ReadOnlySpan<char> text, int position)
    {
        var c = text[position];
        if (c < 0x300)
            return true;
        if (char.IsLowSurrogate(c) && position > 0 && char.IsHighSurrogate(text[position - 1]))
            return false;
        Rune.DecodeFromUtf16(text[position..], out var rune, out _);
        // A high surrogate at the end may still become anything.
        return !(char.IsHighSurrogate(c) && position + 1 == text.Length) && !s_tables.Value.JoinsLeft(rune.Value);
    }

    private static List<int> Decompose(ReadOnlySpan<char> text, Tables tables)
    {
        var points = new List<int>(text.Length);
        foreach (var rune in text.EnumerateRunes())
            tables.Decompose(rune.Value, points);
        // Canonical ordering: a stable sort by class of each run of marks.
        for (var start = 0; start < points.Count;)
        {
            if (tables.Class(points[start]) == 0)
            {
                start++;
                continue;
            }
            var end = start + 1;
            while (end < points.Count && tables.Class(points[end]) != 0)
                end++;
            if (end - start > 1)
            {
                var sorted = points.GetRange(start, end - start).OrderBy(tables.Class).ToList();
                for (var i = start; i < end; i++)
                    points[i] = sorted[i - start];
            }
            start = end;
        }
        return points;
    }

    private static string Compose(List<int> points, Tables tables)
    {
        var kept = 0;
        var starter = -1;
        var lastClass = -1;     // of the last point kept after the starter; -1: none, the two are neighbours
        foreach (var point in CollectionsMarshal.AsSpan(points))
        {
            var pointClass = tables.Class(point);
            if (starter >= 0 && lastClass < pointClass && tables.TryCompose(points[starter], point, out var composite))
            {
                points[starter] = composite;
                continue;
            }
            if (pointClass == 0)
            {
                starter = kept;
                lastClass = -1;
            }
            else
                lastClass = pointClass;
            points[kept++] = point;
        }
        var text = new StringBuilder(kept);
        Span<char> units = stackalloc char[2];
        for (var i = 0; i < kept; i++)
            text.Append(units[..new Rune(points[i]).EncodeToUtf16(units)]);
        return text.ToString();
    }

    private sealed class Tables
    {
        private readonly Dictionary<long, int> _composites = [];
        private readonly Dictionary<int, int[]> _decompositions = [];
        private readonly Dictionary<int, int> _classes = [];
        private readonly HashSet<int> _seconds = [];
        private readonly HashSet<int> _neverComposed = [];

        public static Tables Parse()
        {
            var tables = new Tables();
            foreach (var entry in UnicodeCompositionData.Pairs.Split(' '))
            {
                var parts = entry.Split(',');
                var first = Hex(parts[0]);
                foreach (var pair in parts.AsSpan(1))
                {
                    var colon = pair.IndexOf(':');
                    var (second, composite) = (Hex(pair[..colon]), Hex(pair[(colon + 1)..]));
                    tables._composites[Key(first, second)] = composite;
                    tables._decompositions[composite] = [first, second];
                    tables._seconds.Add(second);
                }
            }
            foreach (var entry in UnicodeCompositionData.Decompositions.Split(' '))
            {
                var equals = entry.IndexOf('=');
                var point = Hex(entry[..equals]);
                foreach (var decomposition in entry[(equals + 1)..].Split(','))
                {
                    tables._neverComposed.Add(point);
                    tables._decompositions[point++] = Array.ConvertAll(decomposition.Split('+'), Hex);
                }
            }
            foreach (var entry in UnicodeCompositionData.Classes.Split(' '))
            {
                var colon = entry.IndexOf(':');
                var range = entry[..colon].Split('-');
                for (var point = Hex(range[0]); point <= Hex(range[^1]); point++)
                    tables._classes[point] = int.Parse(entry.AsSpan(colon + 1), CultureInfo.InvariantCulture);
            }
            return tables;
        }

        public int Class(int point) => point < 0x300 ? 0 : _classes.GetValueOrDefault(point);

        /// <summary>Whether it may compose with, or be reordered before, what is on its left.</summary>
        public bool JoinsLeft(int point) =>
            Class(point) != 0 || _seconds.Contains(point) || point is (>= HangulV and < HangulV + VCount) or (> HangulT and < HangulT + TCount)
            || (_neverComposed.Contains(point) && JoinsLeft(_decompositions[point][0]));

        public bool MayChange(int point) => JoinsLeft(point) || _neverComposed.Contains(point);

        public void Decompose(int point, List<int> into)
        {
            if (point is >= HangulS and < HangulS + (LCount * VCount * TCount))
            {
                var index = point - HangulS;
                into.Add(HangulL + (index / (VCount * TCount)));
                into.Add(HangulV + (index % (VCount * TCount) / TCount));
                if (index % TCount != 0)
                    into.Add(HangulT + (index % TCount));
            }
            else if (point >= 0xC0 && _decompositions.TryGetValue(point, out var parts))
                foreach (var part in parts)
                    Decompose(part, into);
            else
                into.Add(point);
        }

        public bool TryCompose(int first, int second, out int composite)
        {
            if (first is >= HangulL and < HangulL + LCount && second is >= HangulV and < HangulV + VCount)
            {
                composite = HangulS + ((((first - HangulL) * VCount) + (second - HangulV)) * TCount);
                return true;
            }
            if (first is >= HangulS and < HangulS + (LCount * VCount * TCount) && (first - HangulS) % TCount == 0
                && second is > HangulT and < HangulT + TCount)
            {
                composite = first + (second - HangulT);
                return true;
            }
            return _composites.TryGetValue(Key(first, second), out composite);
        }

        private static long Key(int first, int second) => ((long)first << 32) | (uint)second;

        private static int Hex(string digits) => int.Parse(digits, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
    }
}
