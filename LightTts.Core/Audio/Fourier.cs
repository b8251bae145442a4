using System.Runtime.Intrinsics;

namespace LightTts.Audio;

/// <summary>Discrete Fourier transform of real frames of any even size, four frames at a time (one in each lane), in double precision.</summary>
/// <remarks>
/// A complex mixed-radix Stockham transform of half the size, then the usual split into the real signal's bins. Instances hold work memory: one for
/// each thread.
/// </remarks>
internal sealed class Fourier
{
    /// <summary>Frames that are transformed together.</summary>
    public const int Lanes = 4;

    private readonly int _half;
    private readonly Stage[] _stages;
    private readonly (double Cos, double Sin)[] _split; // exp(-2 pi i k / size)
    private Vector256<double>[] _re, _im, _nextRe, _nextIm; // [_half]

    public Fourier(int size)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(size, 2);
        if (size % 2 != 0)
            throw new ArgumentOutOfRangeException(nameof(size), size, "Transforms of odd sizes are not provided.");
        Size = size;
        _half = size / 2;
        _stages = Stage.Plan(_half);
        _split = new (double, double)[_half + 1];
        for (var k = 0; k <= _half; k++)
            _split[k] = Root(k, size);
        (_re, _im) = (new Vector256<double>[_half], new Vector256<double>[_half]);
        (_nextRe, _nextIm) = (new Vector256<double>[_half], new Vector256<double>[_half]);
    }

    /// <summary>Real samples in a frame.</summary>
    public int Size { get; }

    /// <summary>Bins of the result, from 0 to the Nyquist frequency.</summary>
    public int Bins => _half + 1;

    /// <summary>Transforms and gives |X|^2 of every bin.</summary>
    /// <param name="frames">[Size], four frames side by side.</param>
    /// <param name="power">[Bins].</param>
    public void Power(ReadOnlySpan<Vector256<double>> frames, Span<Vector256<double>> power)
    {
        // Even samples are the real parts, odd ones the imaginary parts.
        for (var i = 0; i < _half; i++)
            (_re[i], _im[i]) = (frames[2 * i], frames[2 * i + 1]);
        var stride = 1;
        foreach (var stage in _stages)
        {
            stage.Run(stride, _re, _im, _nextRe, _nextIm);
            stride *= stage.Radix;
            (_re, _im, _nextRe, _nextIm) = (_nextRe, _nextIm, _re, _im);
        }
        for (var k = 0; k <= _half; k++)
        {
            var (a, b) = (k % _half, (_half - k) % _half);
            var (evenRe, evenIm) = ((_re[a] + _re[b]) * 0.5, (_im[a] - _im[b]) * 0.5);
            var (oddRe, oddIm) = ((_im[a] + _im[b]) * 0.5, (_re[b] - _re[a]) * 0.5);
            var (cos, sin) = _split[k];
            var re = evenRe + oddRe * cos - oddIm * sin;
            var im = evenIm + oddRe * sin + oddIm * cos;
            power[k] = re * re + im * im;
        }
    }

    private static (double Cos, double Sin) Root(long k, long n)
    {
        var (sin, cos) = Math.SinCos(-2 * Math.PI * (k % n) / n);
        return (cos, sin);
    }

    /// <summary>One factor of the transform's size: DFTs of <see cref="Radix"/> points, then twiddles, written in sorted order (no bit reversal is
    /// needed).</summary>
    private sealed class Stage
    {
        private readonly int _count; // points of the sub-transform / radix
        private readonly (double Cos, double Sin)[] _twiddles; // [_count, Radix]
        private readonly (double Cos, double Sin)[] _roots; // [Radix]

        private Stage(int points, int radix)
        {
            Radix = radix;
            _count = points / radix;
            _twiddles = new (double, double)[points];
            for (var j = 0; j < _count; j++)
                for (var m = 0; m < radix; m++)
                    _twiddles[j * radix + m] = Root((long)j * m, points);
            _roots = new (double, double)[radix];
            for (var m = 0; m < radix; m++)
                _roots[m] = Root(m, radix);
        }

        public int Radix { get; }

        public static Stage[] Plan(int points)
        {
            var stages = new List<Stage>();
            foreach (var radix in Factors(points))
            {
                stages.Add(new Stage(points, radix));
                points /= radix;
            }
            return [.. stages];
        }

        public void Run(int stride, Vector256<double>[] re, Vector256<double>[] im, Vector256<double>[] toRe, Vector256<double>[] toIm)
        {
            var apart = stride * _count;
            for (var j = 0; j < _count; j++)
            {
                var twiddles = _twiddles.AsSpan(j * Radix, Radix);
                for (var q = 0; q < stride; q++)
                {
                    var from = q + stride * j;
                    var to = q + stride * j * Radix;
                    if (Radix == 4)
                        Four(twiddles, stride, from, apart, to, re, im, toRe, toIm);
                    else
                        Any(twiddles, stride, from, apart, to, re, im, toRe, toIm);
                }
            }
        }

        private static void Four(
            ReadOnlySpan<(double, double)> twiddles, int stride, int from, int apart, int to,
            Vector256<double>[] re, Vector256<double>[] im, Vector256<double>[] toRe, Vector256<double>[] toIm)
        {
            var (aRe, aIm) = (re[from], im[from]);
            var (bRe, bIm) = (re[from + apart], im[from + apart]);
            var (cRe, cIm) = (re[from + 2 * apart], im[from + 2 * apart]);
            var (dRe, dIm) = (re[from + 3 * apart], im[from + 3 * apart]);
            var (sumRe, sumIm) = (aRe + cRe, aIm + cIm);
            var (difRe, difIm) = (aRe - cRe, aIm - cIm);
            var (oddRe, oddIm) = (bRe + dRe, bIm + dIm);
            var (turnRe, turnIm) = (bIm - dIm, dRe - bRe); // -i (b - d)
            (toRe[to], toIm[to]) = (sumRe + oddRe, sumIm + oddIm);
            Store(twiddles[1], difRe + turnRe, difIm + turnIm, to + stride, toRe, toIm);
            Store(twiddles[2], sumRe - oddRe, sumIm - oddIm, to + 2 * stride, toRe, toIm);
            Store(twiddles[3], difRe - turnRe, difIm - turnIm, to + 3 * stride, toRe, toIm);
        }

        private void Any(
            ReadOnlySpan<(double, double)> twiddles, int stride, int from, int apart, int to,
            Vector256<double>[] re, Vector256<double>[] im, Vector256<double>[] toRe, Vector256<double>[] toIm)
        {
            for (var m = 0; m < Radix; m++)
            {
                var (sumRe, sumIm) = (re[from], im[from]);
                for (int k = 1, turn = m; k < Radix; k++, turn = (turn + m) % Radix)
                {
                    var (cos, sin) = _roots[turn];
                    var (xRe, xIm) = (re[from + k * apart], im[from + k * apart]);
                    sumRe += xRe * cos - xIm * sin;
                    sumIm += xRe * sin + xIm * cos;
                }
                Store(twiddles[m], sumRe, sumIm, to + m * stride, toRe, toIm);
            }
        }

        private static void Store(
            (double Cos, double Sin) turn, Vector256<double> re, Vector256<double> im, int at, Vector256<double>[] toRe, Vector256<double>[] toIm)
        {
            toRe[at] = re * turn.Cos - im * turn.Sin;
            toIm[at] = re * turn.Sin + im * turn.Cos;
        }

        private static IEnumerable<int> Factors(int n)
        {
            for (; n % 4 == 0; n /= 4)
                yield return 4;
            for (var p = 2; n > 1; p++)
                for (; n % p == 0; n /= p)
                    yield return p;
        }
    }
}
