namespace LightTts.Audio;

/// <summary>The input of the speaker encoder: torchaudio.compliance.kaldi.fbank without dither, minus its mean over time.</summary>
/// <remarks>
/// 25 ms frames every 10 ms of 16 kHz audio in [-1, 1] (not scaled to 16 bits), only whole frames; each without its mean, pre-emphasised by 0.97,
/// under a Povey window; power, HTK mel filters from 20 Hz, natural logarithm. Safe to use from any thread.
/// </remarks>
internal sealed class KaldiFbank(int bands)
{
    public const int SampleRate = 16_000;
    private const int FrameLength = 400;
    private const int Hop = 160;
    private const int FftSize = 512;
    private const double PreEmphasis = 0.97;
    private const double Floor = 1.1920928955078125e-07; // single precision's epsilon

    private static readonly double[] Window = [.. Frames.Hann(FrameLength, periodic: false).Select(w => Math.Pow(w, 0.85))];

    private readonly MelFilters _filters = MelFilters.Kaldi(SampleRate, FftSize, bands, 20, SampleRate / 2.0);

    /// <summary>Analyses a signal.</summary>
    /// <param name="signal">Mono samples at 16 kHz.</param>
    /// <param name="frames">1 + floor((length - 400) / 160); 0 for less than a frame.</param>
    /// <returns>[frames, bands], row-major; every band's mean over time is 0.</returns>
    public float[] Compute(ReadOnlyMemory<float> signal, out int frames)
    {
        frames = signal.Length < FrameLength ? 0 : 1 + (signal.Length - FrameLength) / Hop;
        var result = new float[frames * bands];
        Frames.Filter(
            frames,
            new Fourier(FftSize),
            _filters,
            (frame, window) => Fill(signal.Span.Slice(frame * Hop, FrameLength), window),
            shape: null,
            (frame, band, value) => result[frame * bands + band] = (float)Math.Log(Math.Max(value, Floor)));
        SubtractMean(result, frames);
        return result;
    }

    private static void Fill(ReadOnlySpan<float> samples, Span<double> window)
    {
        double mean = 0;
        foreach (var sample in samples)
            mean += sample;
        mean /= samples.Length;
        var previous = samples[0] - mean; // the first sample is its own predecessor
        for (var i = 0; i < samples.Length; i++)
        {
            var sample = samples[i] - mean;
            window[i] = (sample - PreEmphasis * previous) * Window[i];
            previous = sample;
        }
    }

    private void SubtractMean(float[] values, int frames)
    {
        for (var band = 0; band < bands; band++)
        {
            double mean = 0;
            for (var frame = 0; frame < frames; frame++)
                mean += values[frame * bands + band];
            mean /= frames;
            for (var frame = 0; frame < frames; frame++)
                values[frame * bands + band] = (float)(values[frame * bands + band] - mean);
        }
    }
}
