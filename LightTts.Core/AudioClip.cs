namespace LightTts;

/// <summary>Mono audio in memory: 32-bit floating-point samples in [-1, 1] at a sample rate.</summary>
/// <remarks>Immutable and safe to share between threads, as long as the array behind <see cref="Samples"/> is not written to.</remarks>
public sealed partial class AudioClip
{
    /// <summary>Wraps samples without copying them.</summary>
    /// <param name="samples">Mono samples, nominally in [-1, 1].</param>
    /// <param name="sampleRate">Samples a second, at least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="sampleRate"/> is below 1.</exception>
    public AudioClip(ReadOnlyMemory<float> samples, int sampleRate)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(sampleRate, 1);
        Samples = samples;
        SampleRate = sampleRate;
    }

    /// <summary>The samples, mono, nominally in [-1, 1].</summary>
    public ReadOnlyMemory<float> Samples { get; }

    /// <summary>Samples a second (Hz).</summary>
    public int SampleRate { get; }

    /// <summary>The length of the clip.</summary>
    public TimeSpan Duration => TimeSpan.FromSeconds((double)Samples.Length / SampleRate);
}
