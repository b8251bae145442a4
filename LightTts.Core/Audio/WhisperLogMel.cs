namespace LightTts.Audio;

/// <summary>The input of the speech tokenizer: openai-whisper's log_mel_spectrogram.</summary>
/// <remarks>
/// 25 ms frames every 10 ms of 16 kHz audio, mirrored at the ends; power, Slaney mel filters up to 8 kHz, base-10 logarithm, clipped 8 below the
/// clip's own maximum (so values depend on the whole clip), then (x + 4) / 4. Safe to use from any thread.
/// </remarks>
internal sealed class WhisperLogMel(int bands)
{
    public const int SampleRate = 16_000;

    /// <summary>Fewer samples than one more than these cannot be mirrored at the ends.</summary>
    public const int MinSamples = FftSize / 2;
    private const int FftSize = 400;
    private const int Hop = 160;

    private static readonly double[] Window = Frames.Hann(FftSize, periodic: true);

    private readonly MelFilters _filters = MelFilters.Slaney(SampleRate, FftSize, bands, 0, SampleRate / 2.0);

    /// <summary>Analyses a signal.</summary>
    /// <param name="signal">Mono samples at 16 kHz, more than 200 of them.</param>
    /// <param name="frames">floor(length / 160).</param>
    /// <returns>[bands, frames], row-major.</returns>
    public float[] Compute(ReadOnlyMemory<float> signal, out int frames)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(signal.Length, MinSamples, nameof(signal));
        var count = signal.Length / Hop; // the reference drops the last of 1 + length / hop frames
        frames = count;
        var result = new float[bands * count];
        Frames.Filter(
            count,
            new Fourier(FftSize),
            _filters,
            (frame, window) =>
            {
                var samples = signal.Span;
                for (int i = 0, at = frame * Hop - FftSize / 2; i < window.Length; i++, at++)
                    window[i] = Frames.Reflected(samples, at) * Window[i];
            },
            shape: null,
            (frame, band, value) => result[band * count + frame] = (float)Math.Log10(Math.Max(value, 1e-10)));

        var floor = float.NegativeInfinity;
        foreach (var value in result)
            floor = Math.Max(floor, value - 8);
        foreach (ref var value in result.AsSpan())
            value = (Math.Max(value, floor) + 4) / 4;
        return result;
    }
}
