using System.Globalization;
using System.Text;

namespace LightTts.Benchmarks.Ledger;

/// <summary>An account as a text.</summary>
/// <param name="account">What is told.</param>
/// <param name="unit">What the times are divided by: "pass", "second of audio".</param>
/// <param name="count">How many of them there were.</param>
internal sealed class LedgerText(LedgerAccount account, string unit, double count)
{
    private const int MostKernels = 40;
    private const int MostCalls = 16;

    private readonly StringBuilder _text = new();

    /// <param name="title">Of the part that was measured.</param>
    public string Write(string title)
    {
        Line($"== {title}");
        Line($"{account.Windows} windows, {count:0.##} x {unit}; us of each, recording included: {Each(account.Nanoseconds):0.0}");
        Line($"device busy {Each(account.BusyNanoseconds):0.0} ({Percent(account.BusyNanoseconds):0.0} %), idle {Each(account.IdleNanoseconds):0.0}");
        Heading("stream", "launches", "in graphs", "busy us", "% of time");
        foreach (var (name, row) in account.Streams)
            Row(name, row, row.Busy);
        Heading("class", "launches", "in graphs", "us", "% of time");
        foreach (var (name, row) in account.Classes)
            Row(name, row, row.Nanoseconds);
        Heading("kernel", "launches", "in graphs", "us", "% of time");
        foreach (var (name, row) in account.Kernels.Take(MostKernels))
            Row(name, row, row.Nanoseconds);
        var rest = account.Kernels.Skip(MostKernels).ToList();
        if (rest.Count > 0)
            Row($"{rest.Count} others", LedgerAccount.Row.Sum(rest.Select(kernel => kernel.Row)), rest.Sum(kernel => kernel.Row.Nanoseconds));
        Heading("call of the host", "calls", "", "us", "% of time");
        foreach (var ((thread, call), row) in account.Calls.Take(MostCalls))
            Row($"{thread}: {call}", row, row.Nanoseconds);
        return _text.Append('\n').ToString();
    }

    private void Heading(string what, string number, string part, string time, string share) =>
        Line($"  {what,-84} {number,9} {part,9} {time,10} {share,9} {"us of one",9}");

    private void Row(string name, LedgerAccount.Row row, long nanoseconds)
    {
        var (time, share, each) = (Each(nanoseconds), Percent(nanoseconds), row.Nanoseconds / 1000.0 / row.Count);
        Line($"  {name,-84} {row.Count / count,9:0.0} {row.InGraphs / count,9:0.0} {time,10:0.0} {share,9:0.0} {each,9:0.00}");
    }

    private void Line(FormattableString line) => _text.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');

    private double Each(long nanoseconds) => nanoseconds / 1000.0 / count;

    private double Percent(long nanoseconds) => account.Nanoseconds == 0 ? 0 : 100.0 * nanoseconds / account.Nanoseconds;
}
