namespace LightTts.Tests.Support;

/// <summary>Whether the full fault sets run (LIGHTTTS_FULL=1), or the sample that fits into every build.</summary>
internal static class FullRun
{
    public static bool IsOn { get; } = Environment.GetEnvironmentVariable("LIGHTTTS_FULL") == "1";

    public static int Pick(int sample, int full) => IsOn ? full : sample;
}
