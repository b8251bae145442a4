namespace LightTts.Benchmarks.Ledger;

/// <summary>What devices and host did within windows of time: sums, and how long the devices had nothing to do.</summary>
internal sealed class LedgerAccount
{
    private readonly Dictionary<string, Row> _kernels = [];
    private readonly Dictionary<string, Row> _classes = [];
    private readonly Dictionary<string, Row> _streams = [];
    private readonly Dictionary<(string Thread, string Call), Row> _calls = [];

    /// <param name="windows">In the order of time, none within another; in nanoseconds.</param>
    /// <param name="activities">In any order; what reaches over a window's edge counts as far as it is inside.</param>
    /// <param name="calls">Likewise.</param>
    /// <param name="threadName">Of the system's number of a thread; null where it is not known.</param>
    public LedgerAccount(IReadOnlyList<(long Start, long End)> windows, IReadOnlyList<DeviceActivity> activities, IReadOnlyList<HostCall> calls,
        Func<uint, string?> threadName)
    {
        Windows = windows.Count;
        Nanoseconds = windows.Sum(window => window.End - window.Start);
        Dictionary<uint, uint> launchers = [];
        Dictionary<uint, string> threads = [];
        string Thread(uint id) => threads.TryGetValue(id, out var known) ? known : threads[id] = threadName(id) ?? $"thread {id}";
        foreach (var call in calls)
        {
            launchers[call.Correlation] = call.Thread;
            var inside = Inside(windows, call.Start, call.End);
            if (inside >= 0)
                Add(_calls, (Thread(call.Thread), call.Name), inside, false);
        }
        var several = activities.Select(activity => activity.Device).Distinct().Skip(1).Any();
        foreach (var device in activities.GroupBy(activity => activity.Device))
        {
            List<(long Start, long End)> all = [];
            foreach (var stream in device.GroupBy(activity => activity.Stream))
            {
                // A stream belongs to the thread that asked for most of it: the stages have one each.
                var thread = stream.Where(activity => launchers.ContainsKey(activity.Correlation))
                    .GroupBy(activity => launchers[activity.Correlation]).OrderByDescending(group => group.Count()).FirstOrDefault()?.Key;
                var name = (several ? $"device {device.Key}, " : "") + $"stream {stream.Key}" + (thread is { } id ? $" ({Thread(id)})" : "");
                List<(long Start, long End)> mine = [];
                foreach (var activity in stream)
                {
                    var inside = Inside(windows, activity.Start, activity.End);
                    if (inside < 0)
                        continue;
                    mine.Add((activity.Start, activity.End));
                    Add(_streams, name, inside, activity.Graph != 0);
                    Add(_kernels, activity.Name, inside, activity.Graph != 0);
                    Add(_classes, KernelNames.Class(activity.Name), inside, activity.Graph != 0);
                }
                if (_streams.TryGetValue(name, out var row))
                    row.Busy += Busy(windows, mine);
                all.AddRange(mine);
            }
            if (all.Count == 0)
                continue;
            Devices++;
            BusyNanoseconds += Busy(windows, all);
        }
    }

    /// <summary>Windows.</summary>
    public int Windows { get; }

    /// <summary>Of all windows.</summary>
    public long Nanoseconds { get; }

    /// <summary>Devices that did anything in them.</summary>
    public int Devices { get; }

    /// <summary>In which a device did anything; of all devices.</summary>
    public long BusyNanoseconds { get; }

    /// <summary>In which a device did nothing.</summary>
    public long IdleNanoseconds => Math.Max(1, Devices) * Nanoseconds - BusyNanoseconds;

    /// <summary>By name, most time first; likewise the others.</summary>
    public IEnumerable<(string Name, Row Row)> Kernels => Sorted(_kernels);

    public IEnumerable<(string Name, Row Row)> Classes => Sorted(_classes);

    public IEnumerable<(string Name, Row Row)> Streams => Sorted(_streams);

    public IEnumerable<((string Thread, string Call) Name, Row Row)> Calls => Sorted(_calls);

    /// <summary>Time in which at least one of the intervals goes on, within the windows.</summary>
    private static long Busy(IReadOnlyList<(long Start, long End)> windows, List<(long Start, long End)> intervals)
    {
        intervals.Sort();
        var busy = 0L;
        var window = 0;
        var reached = long.MinValue; // what is before was counted
        foreach (var (start, end) in intervals)
        {
            for (var from = Math.Max(start, reached); window < windows.Count && from < end; window++)
            {
                busy += Math.Max(0, Math.Min(end, windows[window].End) - Math.Max(from, windows[window].Start));
                if (windows[window].End > end)
                    break; // others may follow in it
            }
            reached = Math.Max(reached, end);
        }
        return busy;
    }

    /// <returns>Nanoseconds within the windows; -1 where it touches none.</returns>
    private static long Inside(IReadOnlyList<(long Start, long End)> windows, long start, long end)
    {
        var (low, high) = (0, windows.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (windows[middle].End < start)
                low = middle + 1;
            else
                high = middle;
        }
        var inside = -1L;
        for (; low < windows.Count && windows[low].Start <= end; low++)
            inside = Math.Max(0, inside) + Math.Min(end, windows[low].End) - Math.Max(start, windows[low].Start);
        return inside;
    }

    private static void Add<TKey>(Dictionary<TKey, Row> rows, TKey key, long nanoseconds, bool inGraph) where TKey : notnull
    {
        if (!rows.TryGetValue(key, out var row))
            rows[key] = row = new Row();
        row.Count++;
        row.Nanoseconds += nanoseconds;
        row.InGraphs += inGraph ? 1 : 0;
    }

    private static IEnumerable<(TKey Name, Row Row)> Sorted<TKey>(Dictionary<TKey, Row> rows) where TKey : notnull =>
        rows.OrderByDescending(pair => pair.Value.Nanoseconds).Select(pair => (pair.Key, pair.Value));

    /// <summary>A sum.</summary>
    internal sealed class Row
    {
        /// <summary>Launches, or calls.</summary>
        public int Count { get; set; }

        /// <summary>Of these, those that are part of a graph.</summary>
        public int InGraphs { get; set; }

        /// <summary>Of all of them together.</summary>
        public long Nanoseconds { get; set; }

        /// <summary>Several as one.</summary>
        public static Row Sum(IEnumerable<Row> rows)
        {
            var sum = new Row();
            foreach (var row in rows)
            {
                sum.Count += row.Count;
                sum.InGraphs += row.InGraphs;
                sum.Nanoseconds += row.Nanoseconds;
            }
            return sum;
        }

        /// <summary>Of a stream: in which at least one of them went on.</summary>
        public long Busy { get; set; }
    }
}
