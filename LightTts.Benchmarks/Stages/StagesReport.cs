using System.Globalization;

namespace LightTts.Benchmarks.Stages;

/// <summary>Prints each figure as it is measured, and adds it to the file of figures at once: what was measured before a failure counts.</summary>
internal sealed class StagesReport(FileInfo? file, string prefix, CancellationToken cancellation)
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

    private void Write(string key, double value)
    {
        if (file is not null)
            ResultsFile.Merge(file, prefix, [new(key, value)]);
    }
}
