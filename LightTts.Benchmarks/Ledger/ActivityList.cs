using System.Globalization;
using System.Text;

namespace LightTts.Benchmarks.Ledger;

/// <summary>Everything that host and devices did in one window, one thing after the other, as a text.</summary>
/// <remarks>
/// Kernels may overlap those before them, so that their lengths do not add up to the window's. Two other numbers do: for how long nothing had gone on
/// when one began, and by how much it ended later than everything before it.
/// </remarks>
/// <param name="window">In nanoseconds, as everything.</param>
/// <param name="threadName">Of the system's number of a thread; null where it is not known.</param>
internal sealed class ActivityList((long Start, long End) window, Func<uint, string?> threadName)
{
    private readonly StringBuilder _text = new();

    /// <summary>The window of the median length of some.</summary>
    public static (long Start, long End) Typical(IReadOnlyList<(long Start, long End)> windows) =>
        windows.OrderBy(window => window.End - window.Start).ElementAt(windows.Count / 2);

    /// <param name="title">Of what the window shows.</param>
    /// <param name="activities">In any order; those outside of the window are passed over.</param>
    /// <param name="calls">Likewise.</param>
    /// <param name="marks">What the measurement itself had to say, and when.</param>
    public string Write(string title, IEnumerable<DeviceActivity> activities, IEnumerable<HostCall> calls,
        IEnumerable<(long At, string What)> marks)
    {
        var called = calls.Where(call => IsInside(call.Start)).ToList();
        var parts = Parts([.. activities.Where(activity => IsInside(activity.Start)).OrderBy(activity => activity.Start)]);
        var idle = parts.Sum(part => part.Idle);
        var last = parts.Count == 0 ? window.Start : parts.Max(part => part.Activity.End);
        _text.Clear();
        Line($"== {title}");
        var behind = Math.Max(0, window.End - last);
        Line($"one window, us: {Us(window.End - window.Start)}; {parts.Count} activities, idle before and between them {Us(idle)}, "
            + $"behind the last {Us(behind)}; {called.Count} calls");
        Line($"  {"activity",-84} {"count",6} {"lasts",10} {"idle before",11} {"ends later",11}");
        foreach (var group in parts.GroupBy(part => part.Activity.Name).OrderByDescending(group => group.Sum(part => part.Idle + part.Later)))
        {
            var lasts = group.Sum(part => part.Activity.End - part.Activity.Start);
            var (before, later) = (group.Sum(part => part.Idle), group.Sum(part => part.Later));
            Line($"  {group.Key,-84} {group.Count(),6} {Us(lasts),10} {Us(before),11} {Us(later),11}");
        }
        Line($"  {"at",9} {"lasts",9} {"idle",9} {"later",9} {"asked at",9}  what");
        Dictionary<uint, HostCall> launches = [];
        foreach (var call in called)
            launches[call.Correlation] = call;
        var lines = marks.Where(mark => IsInside(mark.At)).Select(mark => (mark.At, Text: Row(mark.At, null, null, null, null, $"-- {mark.What}")))
            .Concat(called.Select(call => (At: call.Start,
                Text: Row(call.Start, call.End - call.Start, null, null, null, $". {threadName(call.Thread) ?? "host"}: {call.Name}"))))
            .Concat(parts.Select(part => (At: part.Activity.Start, Text: Row(part.Activity.Start, part.Activity.End - part.Activity.Start, part.Idle,
                part.Later, launches.TryGetValue(part.Activity.Correlation, out var launch) ? launch.Start - window.Start : null,
                part.Activity.Bytes > 0 ? $"{part.Activity.Name}, {part.Activity.Bytes} bytes" : part.Activity.Name))));
        foreach (var (_, text) in lines.OrderBy(line => line.At))
            _text.Append(text);
        return _text.Append('\n').ToString();
    }

    private bool IsInside(long at) => at >= window.Start && at <= window.End;

    /// <summary>Each with what it adds to the window's time.</summary>
    private List<(DeviceActivity Activity, long Idle, long Later)> Parts(List<DeviceActivity> activities)
    {
        List<(DeviceActivity, long, long)> parts = [];
        var reached = window.Start;
        foreach (var activity in activities)
        {
            parts.Add((activity, Math.Max(0, activity.Start - reached), Math.Max(0, activity.End - Math.Max(reached, activity.Start))));
            reached = Math.Max(reached, activity.End);
        }
        return parts;
    }

    private string Row(long at, long? lasts, long? idle, long? later, long? asked, string what) =>
        $"  {Us(at - window.Start),9} {Us(lasts),9} {Us(idle),9} {Us(later),9} {Us(asked),9}  {what}\n";

    private void Line(string line) => _text.Append(line).Append('\n'); // of numbers that are texts already

    private static string Us(long? nanoseconds) => nanoseconds is { } value ? (value / 1000.0).ToString("0.00", CultureInfo.InvariantCulture) : "";
}
