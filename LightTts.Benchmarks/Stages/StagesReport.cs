using System.Globalization;
using LightTts.Benchmarks.Ledger;

namespace LightTts.Benchmarks.Stages;

/// <summary>Prints each figure as it is measured, and adds it to the file of figures at once: what was measured before a failure counts.</summary>
/// <param name="file">Of figures; null: none.</param>
/// <param name="prefix">Put before every key.</param>
/// <param name="ledger">Gets an account of each measurement; null: none is kept.</param>
/// <param name="cancellation">Leaves out what has not begun.</param>
internal sealed class StagesReport(FileInfo? file, string prefix, DeviceLedger? ledger, CancellationToken cancellation)
{
    /// <summary>Measurements that threw.</summary>
    public int Failures { get; private set; }

    public void Figure(string key, double value, string meaning)
    {
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{key,-26} {value,10:0.###}                              {meaning}"));
        Write(key, value);
    }

    /// <param name="key">Name in the file; null: it is measured for another's sake.</param>
    /// <param name="meaning">Of the figure.</param>
    /// <param name="measure">Measures it.</param>
    public void Measure(string? key, string meaning, Func<Series> measure)
    {
        if (cancellation.IsCancellationRequested)
            return;
        try
        {
            var series = measure();
            ledger?.Write($"{key}: {meaning}, {series.Median:0.###} at the median with the recording", "pass");
            if (key is null)
                return;
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{key,-26} {series.Median,10:0.###} (least {series.Least,9:0.###}, {series.Count,5} x)  {meaning}"));
            Write(key, series.Median);
        }
        catch (Exception e)
        {
            Failures++;
            // libtorch's messages go on with the frames of its stack.
            Console.WriteLine($"{key,-26}     failed: {e.GetType().Name}: {e.Message.Split('\n')[0]}");
        }
    }

    /// <summary>Where the host was in the measurement before; nothing where it left no marks.</summary>
    public void Marks(PassClock clock)
    {
        var marks = clock.Marks.ToList();
        if (marks.Count > 0 && !cancellation.IsCancellationRequested)
            Console.WriteLine("  the host, us: " + string.Join(", ",
                marks.Select(mark => string.Create(CultureInfo.InvariantCulture, $"{mark.What} {mark.Microseconds:0}"))));
    }

    private void Write(string key, double value)
    {
        if (file is not null)
            ResultsFile.Merge(file, prefix, [new(key, value)]);
    }
}
