namespace LightTts;

/// <summary>What reference audio has to be like for a voice to be learnt from it.</summary>
internal static class ReferenceLimits
{
    public const double MinSeconds = 0.5;
    public const double MaxSeconds = 30;
    public const int MinSampleRate = 16_000;
    public const string Advice = "Use 3 to 10 s of one person's clean speech.";
}
