namespace LightTts.Audio;

/// <summary>Decides whether a clip can teach a voice, before anything is computed from it.</summary>
internal static class ReferenceAudio
{
    /// <summary>Loudness below which there is no speech: -60 dBFS (RMS, without the mean) in the loudest 100 ms. A whisper far from a microphone has
    /// about -50 dBFS, the noise of a good preamplifier about -80.</summary>
    public const double SilenceRms = 0.001;

    /// <summary>Floating-point files may go over full scale, but not by 24 dB: those hold integers that nobody divided, or garbage.</summary>
    public const float MaxPeak = 16;

    /// <exception cref="TtsAudioException">The clip cannot be used; the message says why, and the cure.</exception>
    public static void Check(AudioClip clip)
    {
        if (clip.SampleRate < ReferenceLimits.MinSampleRate)
            throw new TtsAudioException($"The reference audio has {clip.SampleRate} Hz; at least {ReferenceLimits.MinSampleRate} Hz are needed, "
            + $"because what a "
                + "lower rate cut off cannot be "
                + "brought back by converting. Record it at 16 kHz or more.");
        var seconds = (double)clip.Samples.Length / clip.SampleRate;
        if (seconds < ReferenceLimits.MinSeconds)
            throw new TtsAudioException($"The reference audio is {seconds:0.###} s long; at least {ReferenceLimits.MinSeconds} s are needed. "
            + $"{ReferenceLimits.Advice}");
        if (seconds > ReferenceLimits.MaxSeconds)
            throw new TtsAudioException($"The reference audio is {seconds:0.###} s long; at most {ReferenceLimits.MaxSeconds} s can be used. Cut it. "
            + $"{ReferenceLimits.Advice}");

        var samples = clip.Samples.Span;
        CheckSamples(samples, "reference audio");
        if (LoudestRms(samples, clip.SampleRate / 10) < SilenceRms)
            throw new TtsAudioException($"The reference audio has no speech: it is silent or almost (below {20 * Math.Log10(SilenceRms):0} dBFS). "
                + $"{ReferenceLimits.Advice}");
    }

    /// <summary>Checks that samples are numbers of a usable size.</summary>
    /// <exception cref="TtsAudioException">They are not; the message says what they are, and the cure.</exception>
    public static void CheckSamples(ReadOnlySpan<float> samples, string what)
    {
        foreach (var sample in samples)
        {
            if (!float.IsFinite(sample))
                throw new TtsAudioException($"The {what} holds samples that are not numbers (NaN) or infinite. Record or export it again.");
            if (Math.Abs(sample) > MaxPeak)
                throw new TtsAudioException($"The {what}'s samples reach {sample:G3} where [-1, 1] is expected. Divide integers by their "
                    + "full scale (32768 for 16 bits).");
        }
    }

    private static double LoudestRms(ReadOnlySpan<float> samples, int window)
    {
        double loudest = 0;
        for (var start = 0; start < samples.Length; start += window)
        {
            var part = samples.Slice(start, Math.Min(window, samples.Length - start));
            double sum = 0, squares = 0;
            foreach (var sample in part)
            {
                sum += sample;
                squares += (double)sample * sample;
            }
            var mean = sum / part.Length;
            loudest = Math.Max(loudest, squares / part.Length - mean * mean);
        }
        return Math.Sqrt(loudest);
    }
}
