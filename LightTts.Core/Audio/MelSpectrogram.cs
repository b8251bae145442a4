using System.Runtime.Intrinsics;

namespace LightTts.Audio;

/// <summary>The log-mel spectrogram that the flow and the vocoder speak: matcha.utils.audio.mel_spectrogram.</summary>
/// <remarks>Magnitudes sqrt(|X|^2 + 1e-9) under a periodic Hann window, Slaney mel filters, natural logarithm of at least 1e-5. Safe to use from any
/// thread.</remarks>
internal sealed class MelSpectrogram
{
    private readonly int _fftSize;
    private readonly int _hop;
    private readonly double[] _window;
    private readonly MelFilters _filters;

    /// <param name="fftSize">Samples in a frame, even.</param>
    /// <param name="windowSize">Samples under the window, centred in the frame; at most <paramref name="fftSize"/>.</param>
    /// <param name="hop">Samples from one frame to the next.</param>
    /// <param name="bands">Mel bands.</param>
    /// <param name="sampleRate">Hz.</param>
    /// <param name="minFrequency">Hz.</param>
    /// <param name="maxFrequency">Hz; null for half the sample rate.</param>
    public MelSpectrogram(int fftSize, int windowSize, int hop, int bands, int sampleRate, double minFrequency, double? maxFrequency)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(windowSize, fftSize);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(hop, fftSize);
        (_fftSize, _hop, Bands, SampleRate) = (fftSize, hop, bands, sampleRate);
        _window = new double[fftSize];
        Frames.Hann(windowSize, periodic: true).CopyTo(_window, (fftSize - windowSize) / 2);
        _filters = MelFilters.Slaney(sampleRate, fftSize, bands, minFrequency, maxFrequency ?? sampleRate / 2.0);
    }

    public int Bands { get; }

    public int SampleRate { get; }

    /// <summary>Analyses a signal.</summary>
    /// <param name="signal">Mono samples at <see cref="SampleRate"/>, more than (fftSize - hop) / 2 of them.</param>
    /// <param name="frames">About length / hop.</param>
    /// <returns>[frames, Bands], row-major.</returns>
    public float[] Compute(ReadOnlyMemory<float> signal, out int frames)
    {
        var pad = (_fftSize - _hop) / 2;
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(signal.Length, pad, nameof(signal));
        frames = Math.Max(0, (signal.Length + 2 * pad - _fftSize) / _hop + 1);
        var result = new float[frames * Bands];
        Frames.Filter(
            frames,
            new Fourier(_fftSize),
            _filters,
            (frame, window) =>
            {
                var samples = signal.Span;
                for (int i = 0, at = frame * _hop - pad; i < window.Length; i++, at++)
                    window[i] = Frames.Reflected(samples, at) * _window[i];
            },
            Magnitude,
            (frame, band, value) => result[frame * Bands + band] = (float)Math.Log(Math.Max(value, 1e-5)));
        return result;
    }

    private static void Magnitude(Span<Vector256<double>> power)
    {
        foreach (ref var bin in power)
            bin = Vector256.Sqrt(bin + Vector256.Create(1e-9));
    }
}
