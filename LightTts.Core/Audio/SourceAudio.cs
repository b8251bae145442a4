namespace LightTts.Audio;

/// <summary>What speech that is to be spoken in another voice has to be like.</summary>
internal static class SourceAudio
{
    public const double MinSeconds = 0.1;

    /// <summary>Checks a clip or a piece of one.</summary>
    /// <exception cref="TtsAudioException">It cannot be used; the message says why, and the cure.</exception>
    public static void Check(AudioClip piece)
    {
        if (piece.SampleRate < ReferenceLimits.MinSampleRate)
            throw new TtsAudioException($"The source audio has {piece.SampleRate} Hz; at least {ReferenceLimits.MinSampleRate} Hz are needed, "
                + "because what a lower rate cut off cannot be brought back by converting. Record it at 16 kHz or more.");
        ReferenceAudio.CheckSamples(piece.Samples.Span, "source audio");
    }

    /// <summary>Says that there is not enough to make anything of.</summary>
    public static TtsAudioException TooShort() =>
        new($"The source audio is shorter than {MinSeconds} s: there is no speech to convert. Hand in at least a word.");
}
