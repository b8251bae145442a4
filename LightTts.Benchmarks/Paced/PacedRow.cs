using System.Globalization;

namespace LightTts.Benchmarks.Paced;

/// <summary>What listeners heard who play in real time.</summary>
/// <param name="Mode">paced or poisson.</param>
/// <param name="Offered">Listeners; requests a second.</param>
/// <param name="Requests">That count: those of the time after the ramp.</param>
/// <param name="Failures">Of these.</param>
/// <param name="AudioSecondsPerSecond">Audio that they brought.</param>
/// <param name="FirstAudioMsP50">From asking to the first chunk; likewise the others.</param>
/// <param name="FirstAudioMsP95">One in twenty waited longer.</param>
/// <param name="FirstAudioMsP99">One in a hundred waited longer.</param>
/// <param name="Underruns">Times that playback ran dry.</param>
/// <param name="StalledSeconds">How long in all.</param>
internal sealed record PacedRow(
    string Mode, double Offered, int Requests, int Failures, double AudioSecondsPerSecond, double FirstAudioMsP50, double FirstAudioMsP95,
    double FirstAudioMsP99, int Underruns, double StalledSeconds)
{
    public static string Heading =>
        "mode     offered  requests  failures  audio s/s  first audio ms p50    p95    p99  underruns  stalled s";

    /// <summary>Whether everybody was served: no gap, no failure, no long wait.</summary>
    public bool Holds(double limitMs) => Requests > 0 && Failures == 0 && Underruns == 0 && FirstAudioMsP99 <= limitMs;

    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{Mode,-8} {Offered,7:0.##} {Requests,9} {Failures,9} {AudioSecondsPerSecond,10:0.00} {FirstAudioMsP50,19:0} {FirstAudioMsP95,6:0} "
        + $"{FirstAudioMsP99,6:0} {Underruns,10} {StalledSeconds,10:0.00}");
}
