using System.Collections.Concurrent;
using System.Numerics.Tensors;

namespace LightTts.Audio;

/// <summary>Band-limited sample rate conversion: torchaudio's <c>transforms.Resample</c> with its defaults (sinc interpolation under a Hann window, 6
/// zero crossings, roll-off 0.99), to float rounding.</summary>
/// <remarks>
/// The reference convolves with all taps of a kernel, nearly all of which are zero for odd rate pairs (44,101 to 16,000 Hz would take 2.8 GB); here
/// each phase keeps only the taps within the window, so cost does not depend on how the rates divide.
/// </remarks>
internal sealed class Resampler
{
    private const int ZeroCrossings = 6;
    private const double RollOff = 0.99;
    private const int MaxCached = 32;
    private const int MaxCachedTaps = 1 << 16;

    private static readonly ConcurrentDictionary<(int From, int To), Resampler> Cache = new();

    private readonly int _from;
    private readonly int _to;
    private readonly int _length; // taps of a phase
    private readonly int[] _first; // [phases] input index of the first tap, relative to the phase's whole-step position
    private readonly float[] _taps; // [phases, _length]

    private Resampler(int from, int to, int phases)
    {
        (_from, _to) = (from, to);
        var bandwidth = Math.Min(from, to) * RollOff;
        var width = (int)Math.Ceiling(ZeroCrossings * from / bandwidth);
        _length = 2 * width + 1;
        _first = new int[phases];
        _taps = new float[checked(phases * _length)];
        for (var phase = 0; phase < phases; phase++)
        {
            double offset = -phase / (float)to; // the reference divides integers, which gives single precision here and only here
            var first = Math.Max((int)Math.Floor(-offset * from) - width, -width);
            _first[phase] = first;
            for (var k = 0; k < _length && first + k < width + from; k++)
            {
                var t = Math.Clamp((offset + (double)(first + k) / from) * bandwidth, -ZeroCrossings, ZeroCrossings);
                var window = Math.Cos(t * Math.PI / ZeroCrossings / 2);
                var sinc = t == 0 ? 1 : Math.Sin(t * Math.PI) / (t * Math.PI);
                _taps[phase * _length + k] = (float)(sinc * window * window * (bandwidth / from));
            }
        }
    }

    /// <summary>Converts a clip's samples; the same memory comes back where the rate is already right.</summary>
    /// <param name="samples">Mono samples.</param>
    /// <param name="fromRate">Their rate, Hz, above 0.</param>
    /// <param name="toRate">The wanted rate, Hz, above 0.</param>
    /// <returns>ceil(length x to / from) samples.</returns>
    public static ReadOnlyMemory<float> Resample(ReadOnlyMemory<float> samples, int fromRate, int toRate)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(fromRate, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(toRate, 1);
        if (fromRate == toRate || samples.IsEmpty)
            return samples;
        var divisor = Gcd(fromRate, toRate);
        var (from, to) = (fromRate / divisor, toRate / divisor);
        var count = checked((int)(((long)samples.Length * to + from - 1) / from));
        if (!Cache.TryGetValue((from, to), out var resampler))
        {
            // Kernels of rates that share no large divisor are big and rare: they are made for the phases in use and forgotten.
            resampler = new Resampler(from, to, Math.Min(to, count));
            if (resampler._first.Length == to && resampler._taps.Length <= MaxCachedTaps && Cache.Count < MaxCached)
                Cache.TryAdd((from, to), resampler);
        }
        var result = new float[count];
        resampler.Run(samples.Span, result);
        return result;
    }

    private void Run(ReadOnlySpan<float> samples, Span<float> result)
    {
        long step = 0;
        var phase = 0;
        foreach (ref var sample in result)
        {
            // Outside the samples there are zeros.
            var first = step + _first[phase];
            var skip = (int)Math.Max(0, -first);
            var take = (int)Math.Min(_length, samples.Length - first) - skip;
            if (take > 0)
                sample = TensorPrimitives.Dot(_taps.AsSpan(phase * _length + skip, take), samples.Slice((int)first + skip, take));
            if (++phase == _to)
            {
                phase = 0;
                step += _from;
            }
        }
    }

    private static int Gcd(int a, int b) => b == 0 ? a : Gcd(b, a % b);
}
