using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace LightTts.Audio;

/// <summary>Cuts a signal into overlapping windows and hands their mel-filtered spectra on, four windows at a time.</summary>
internal static class Frames
{
    /// <summary>Fills one window's samples from the signal.</summary>
    /// <param name="frame">The window's number.</param>
    /// <param name="window">Where the samples go; zero beyond what is filled.</param>
    public delegate void Fill(int frame, Span<double> window);

    /// <summary>Reduces a power spectrum before the filters (a square root, say); null to leave it.</summary>
    public delegate void Shape(Span<Vector256<double>> power);

    /// <summary>Takes one band's value of one window.</summary>
    public delegate void Take(int frame, int band, double value);

    public static void Filter(int count, Fourier fourier, MelFilters filters, Fill fill, Shape? shape, Take take)
    {
        var lanes = new double[Fourier.Lanes][];
        for (var lane = 0; lane < lanes.Length; lane++)
            lanes[lane] = new double[fourier.Size];
        var frames = new Vector256<double>[fourier.Size];
        var power = new Vector256<double>[fourier.Bins];
        var mel = new Vector256<double>[filters.Bands];
        for (var start = 0; start < count; start += Fourier.Lanes)
        {
            var used = Math.Min(Fourier.Lanes, count - start);
            for (var lane = 0; lane < used; lane++)
                fill(start + lane, lanes[lane]);
            for (var i = 0; i < frames.Length; i++)
                frames[i] = Vector256.Create(lanes[0][i], lanes[1][i], lanes[2][i], lanes[3][i]);
            fourier.Power(frames, power);
            shape?.Invoke(power);
            filters.Apply(power, mel);
            for (var band = 0; band < mel.Length; band++)
                for (var lane = 0; lane < used; lane++)
                    take(start + lane, band, mel[band].GetElement(lane));
        }
    }

    /// <summary>A sample of the signal mirrored at both ends (without repeating the edge), as in numpy's and torch's "reflect" padding.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Reflected(ReadOnlySpan<float> signal, int index)
    {
        if (index < 0)
            index = -index;
        return signal[index < signal.Length ? index : 2 * (signal.Length - 1) - index];
    }

    /// <summary>Hann window.</summary>
    /// <param name="size">Samples.</param>
    /// <param name="periodic">Whether the period is <paramref name="size"/> (for spectra) or size - 1 (symmetric).</param>
    public static double[] Hann(int size, bool periodic)
    {
        var window = new double[size];
        for (var i = 0; i < size; i++)
            window[i] = 0.5 - 0.5 * Math.Cos(2 * Math.PI * i / (periodic ? size : size - 1));
        return window;
    }
}
