namespace LightTts;

/// <summary>How the samples of a WAV file are written.</summary>
public enum WavSampleFormat
{
    /// <summary>16-bit integers, rounded to the nearest and clipped at full scale.</summary>
    Pcm16,

    /// <summary>32-bit floating point, as the samples are.</summary>
    Float32,
}
