namespace LightTts.Extensions.Formats;

/// <summary>Converts the sample rate of audio that comes in pieces: a Kaiser-windowed sinc, interpolated from a table.</summary>
/// <remarks>The pieces' results, joined, are the result of the whole. Its length is that of the input times the ratio, rounded up.</remarks>
internal sealed class RateConverter
{
    private const int Crossings = 24;
    private const int Steps = 512;
    private const double Rolloff = 0.94;
    private const double Beta = 9; // side lobes below -90 dB

    private static readonly float[] Kernel = CreateKernel();

    private readonly long _inputStep;
    private readonly long _outputStep;
    private readonly double _scale;
    private readonly int _half;
    private float[] _history;
    private int _count;
    private long _first; // the input sample at the start of the history
    private long _received;
    private long _produced;
    private float[] _output = [];

    public RateConverter(int from, int to)
    {
        var common = Gcd(from, to);
        _inputStep = from / common;
        _outputStep = to / common;
        _scale = Rolloff * Math.Min(1, (double)to / from);
        _half = (int)Math.Ceiling(Crossings / _scale);
        _history = new float[4 * _half];
        _count = _half; // silence before the first sample
        _first = -_half;
    }

    /// <summary>Takes samples; the result is valid until the next call.</summary>
    public ReadOnlySpan<float> Convert(ReadOnlySpan<float> samples)
    {
        Append(samples);
        _received += samples.Length;
        return Produce(_received - _half);
    }

    /// <summary>What is left at the end.</summary>
    public ReadOnlySpan<float> Finish()
    {
        Append(new float[_half + 1]);
        return Produce(_received);
    }

    /// <summary>Output samples whose input time lies before a limit.</summary>
    private ReadOnlySpan<float> Produce(long limit)
    {
        // Output n lies at input time n * inputStep / outputStep.
        var total = limit <= 0 ? 0 : ((limit * _outputStep) + _inputStep - 1) / _inputStep;
        var count = (int)Math.Max(0, total - _produced);
        if (_output.Length < count)
            _output = new float[count];
        for (var i = 0; i < count; i++)
            _output[i] = At(_produced + i);
        _produced += count;
        Forget((_produced * _inputStep / _outputStep) - _half);
        return _output.AsSpan(0, count);
    }

    private float At(long n)
    {
        var whole = n * _inputStep / _outputStep;
        var part = (double)(n * _inputStep % _outputStep) / _outputStep;
        var sum = 0.0;
        for (var k = -_half + 1; k <= _half; k++)
        {
            var index = whole + k - _first;
            if (index < 0 || index >= _count)
                continue;
            var x = Math.Abs(k - part) * _scale * Steps;
            var at = (int)x;
            if (at >= Kernel.Length - 1)
                continue;
            sum += _history[index] * (Kernel[at] + (Kernel[at + 1] - Kernel[at]) * (x - at));
        }
        return (float)(sum * _scale);
    }

    private void Append(ReadOnlySpan<float> samples)
    {
        if (_count + samples.Length > _history.Length)
            Array.Resize(ref _history, Math.Max(_history.Length * 2, _count + samples.Length));
        samples.CopyTo(_history.AsSpan(_count));
        _count += samples.Length;
    }

    private void Forget(long before)
    {
        var count = (int)Math.Clamp(before - _first, 0, _count);
        if (count < _half)
            return;
        _history.AsSpan(count, _count - count).CopyTo(_history);
        _count -= count;
        _first += count;
    }

    private static float[] CreateKernel()
    {
        var kernel = new float[(Crossings * Steps) + 1];
        for (var i = 0; i < kernel.Length; i++)
        {
            var x = (double)i / Steps;
            var sinc = i == 0 ? 1 : Math.Sin(Math.PI * x) / (Math.PI * x);
            var edge = x / Crossings;
            kernel[i] = (float)(sinc * Bessel(Beta * Math.Sqrt(Math.Max(0, 1 - edge * edge))) / Bessel(Beta));
        }
        return kernel;
    }

    /// <summary>The modified Bessel function of the first kind, order 0, by its series.</summary>
    private static double Bessel(double x)
    {
        double sum = 1, term = 1;
        for (var k = 1; term > sum * 1e-12; k++)
        {
            term *= x / (2 * k) * (x / (2 * k));
            sum += term;
        }
        return sum;
    }

    private static int Gcd(int a, int b) => b == 0 ? a : Gcd(b, a % b);
}
