using System.Runtime.Intrinsics;

namespace LightTts.Audio;

/// <summary>A bank of triangular filters over the bins of a spectrum.</summary>
internal sealed class MelFilters
{
    private readonly (int FirstBin, double[] Weights)[] _bands;

    private MelFilters((int, double[])[] bands) => _bands = bands;

    public int Bands => _bands.Length;

    /// <summary>librosa.filters.mel with its defaults: triangles linear in frequency, centred evenly on Slaney's mel scale, of equal area.</summary>
    /// <param name="sampleRate">Hz.</param>
    /// <param name="fftSize">Samples in a frame.</param>
    /// <param name="bands">Number of filters.</param>
    /// <param name="minFrequency">Where the first filter starts, Hz.</param>
    /// <param name="maxFrequency">Where the last one ends, Hz.</param>
    public static MelFilters Slaney(int sampleRate, int fftSize, int bands, double minFrequency, double maxFrequency)
    {
        var edges = new double[bands + 2];
        var (low, high) = (SlaneyMel(minFrequency), SlaneyMel(maxFrequency));
        for (var i = 0; i < edges.Length; i++)
            edges[i] = SlaneyHertz(low + (high - low) * i / (bands + 1));
        return Create(bands, fftSize / 2 + 1, (band, bin) =>
        {
            var hertz = (double)bin * sampleRate / fftSize;
            var area = 2 / (edges[band + 2] - edges[band]);
            return area * Triangle(hertz, edges[band], edges[band + 1], edges[band + 2]);
        });
    }

    /// <summary>Kaldi's filters (torchaudio.compliance.kaldi.get_mel_banks): triangles of height 1, linear in HTK's mel; the Nyquist bin belongs to
    /// none.</summary>
    /// <inheritdoc cref="Slaney" path="/param"/>
    public static MelFilters Kaldi(int sampleRate, int fftSize, int bands, double minFrequency, double maxFrequency)
    {
        var (low, high) = (HtkMel(minFrequency), HtkMel(maxFrequency));
        var step = (high - low) / (bands + 1);
        return Create(bands, fftSize / 2, (band, bin) =>
            Triangle(HtkMel((double)bin * sampleRate / fftSize), low + band * step, low + (band + 1) * step, low + (band + 2) * step));
    }

    /// <summary>Applies the filters to four spectra side by side.</summary>
    /// <param name="spectrum">At least the bins that the filters cover.</param>
    /// <param name="result">[Bands].</param>
    public void Apply(ReadOnlySpan<Vector256<double>> spectrum, Span<Vector256<double>> result)
    {
        for (var band = 0; band < _bands.Length; band++)
        {
            var (first, weights) = _bands[band];
            var sum = Vector256<double>.Zero;
            for (var i = 0; i < weights.Length; i++)
                sum += spectrum[first + i] * weights[i];
            result[band] = sum;
        }
    }

    private static MelFilters Create(int bands, int bins, Func<int, int, double> weight)
    {
        var result = new (int, double[])[bands];
        for (var band = 0; band < bands; band++)
        {
            var all = new double[bins];
            for (var bin = 0; bin < bins; bin++)
                all[bin] = (float)weight(band, bin); // the references keep their filters in single precision
            var first = Array.FindIndex(all, w => w != 0);
            result[band] = first < 0 ? (0, []) : (first, all[first..(Array.FindLastIndex(all, w => w != 0) + 1)]);
        }
        return new MelFilters(result);
    }

    private static double Triangle(double x, double left, double centre, double right) =>
        Math.Max(0, Math.Min((x - left) / (centre - left), (right - x) / (right - centre)));

    private static double HtkMel(double hertz) => 1127 * Math.Log(1 + hertz / 700);

    // Slaney's scale: linear up to 1 kHz (15 mel), logarithmic above.
    private static double SlaneyMel(double hertz) => hertz < 1000 ? hertz * 3 / 200 : 15 + Math.Log(hertz / 1000) * 27 / Math.Log(6.4);

    private static double SlaneyHertz(double mel) => mel < 15 ? mel * 200 / 3 : 1000 * Math.Exp((mel - 15) * Math.Log(6.4) / 27);
}
