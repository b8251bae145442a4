using System.Globalization;
using LightTts.Benchmarks.Ledger;

namespace LightTts.Tests.Benchmarks;

/// <summary>The list of what happened in one window.</summary>
public class ActivityListTests
{
    private static readonly (long Start, long End) Window = (1000, 11_000);

    [Fact]
    public void All_things_are_told_in_the_order_of_time_with_what_each_adds_to_it()
    {
        var lines = Lines(
        [
            Activity("attend", 4500, 6000, correlation: 5), // begins within the one before
            Activity("project", 3000, 5000, correlation: 5),
            Activity("add", 5100, 5200), // within it altogether
            Activity("copy device to host", 9000, 9500, bytes: 320),
            Activity("before", 500, 999), Activity("after", 11_001, 12_000),
        ], [new HostCall("cudaGraphLaunch", 1500, 1900, 7, 5)], [(1400, "planned"), (999, "warm")]);
        Assert.Equal("== A pass", lines[0]);
        Assert.Equal("one window, us: 10.00; 4 activities, idle before and between them 5.00, behind the last 1.50; 1 calls", lines[1]);
        Assert.Equal(
        [
            "project 1 2.00 2.00 2.00", "copy device to host 1 0.50 3.00 0.50", "attend 1 1.50 0.00 1.00", "add 1 0.10 0.00 0.00",
        ], lines[3..7]);
        Assert.Equal(
        [
            "0.40 -- planned", "0.50 0.40 . decode: cudaGraphLaunch", "2.00 2.00 2.00 2.00 0.50 project", "3.50 1.50 0.00 1.00 0.50 attend",
            "4.10 0.10 0.00 0.00 add", "8.00 0.50 3.00 0.50 copy device to host, 320 bytes",
        ], lines[8..]);
    }

    [Fact]
    public void What_is_idle_and_what_ends_later_are_the_windows_time_however_activities_overlap()
    {
        var random = new Random(1);
        List<DeviceActivity> activities = [];
        for (var i = 0; i < 200; i++)
        {
            var start = random.Next(1000, 10_000);
            activities.Add(Activity("a", start, start + random.Next(1, 900)));
        }
        var lines = Lines(activities, [], []);
        var sums = lines[3].Split(' ');
        var behind = lines[1].Split("behind the last ")[1].Split(';')[0];
        Assert.Equal(10.00m, Number(sums[^2]) + Number(sums[^1]) + Number(behind));
    }

    [Fact]
    public void A_window_without_activities_is_idle() =>
        Assert.Equal("one window, us: 10.00; 0 activities, idle before and between them 0.00, behind the last 10.00; 0 calls", Lines([], [], [])[1]);

    [Fact]
    public void The_typical_window_is_the_one_of_median_length() =>
        Assert.Equal((10, 15), ActivityList.Typical([(0, 9), (10, 15), (20, 22)]));

    private static string[] Lines(IEnumerable<DeviceActivity> activities, IEnumerable<HostCall> calls, IEnumerable<(long, string)> marks) =>
        [.. new ActivityList(Window, thread => thread == 7 ? "decode" : null).Write("A pass", activities, calls, marks)
            .Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(Words)];

    private static decimal Number(string text) => decimal.Parse(text, CultureInfo.InvariantCulture);

    private static string Words(string line) => string.Join(' ', line.Split(' ', StringSplitOptions.RemoveEmptyEntries));

    private static DeviceActivity Activity(string name, long start, long end, uint correlation = 0, long bytes = 0) =>
        new(name, start, end, 0, 1, correlation, 0, bytes);
}
