namespace LightTts.Timbres.Sharing;

/// <summary>Marks the steps of a writer, so that tests can end the process at each of them.</summary>
internal static class SegmentSteps
{
    /// <summary>Called with the name of each step; null outside tests.</summary>
    public static Action<string>? Observer { get; set; }

    public static void At(string step) => Observer?.Invoke(step);
}
