using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace LightTts.Diagnostics;

/// <summary>Measurements that cannot throw: whoever listens runs inside the call, and must not fail a step that went well.</summary>
internal static class GuardedMeasurements
{
    public static void Measure<T>(this Histogram<T> histogram, T value, in TagList tags) where T : struct
    {
        try
        {
            histogram.Record(value, tags);
        }
        catch (Exception)
        {
            // The listener's fault, and its loss.
        }
    }

    public static void Count<T>(this Counter<T> counter, T delta, in TagList tags = default) where T : struct
    {
        try
        {
            counter.Add(delta, tags);
        }
        catch (Exception)
        {
            // As above.
        }
    }

    public static void Count<T>(this UpDownCounter<T> counter, T delta) where T : struct
    {
        try
        {
            counter.Add(delta);
        }
        catch (Exception)
        {
            // As above.
        }
    }
}
