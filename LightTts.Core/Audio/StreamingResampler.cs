namespace LightTts.Audio;

/// <summary>Sample rate conversion of audio that arrives in pieces: what comes out is <see cref="Resampler"/>'s of the whole.</summary>
/// <remarks>Samples are converted in blocks of whole steps of both rates, with those around them in view. Not thread-safe.</remarks>
internal sealed class StreamingResampler
{
    private const int MinBlock = 1024;
    private const int MinMargin = 64; // more than the kernel reaches to either side, for rates at least as high as the target's half

    private readonly int _fromRate;
    private readonly int _toRate;
    private readonly int _from;
    private readonly int _to;
    private readonly int _block; // input samples, whole steps
    private readonly int _margin; // likewise
    private readonly List<float> _input = []; // from a margin before the first sample that was not converted
    private int _before; // of these, how many were converted

    public StreamingResampler(int fromRate, int toRate)
    {
        (_fromRate, _toRate) = (fromRate, toRate);
        var divisor = (int)System.Numerics.BigInteger.GreatestCommonDivisor(fromRate, toRate);
        (_from, _to) = (fromRate / divisor, toRate / divisor);
        _block = Whole(MinBlock);
        _margin = Whole(Math.Max(MinMargin, 8 * fromRate / Math.Min(fromRate, toRate)));
    }

    /// <summary>Takes a piece, and adds what is ready to <paramref name="output"/>.</summary>
    public void Push(ReadOnlySpan<float> samples, List<float> output)
    {
        if (_fromRate == _toRate)
        {
            output.AddRange(samples);
            return;
        }
        _input.AddRange(samples);
        while (_input.Count >= _before + _block + _margin)
            Convert(_block, _before + _block + _margin, output);
    }

    /// <summary>Adds what is left to <paramref name="output"/>.</summary>
    public void Finish(List<float> output)
    {
        if (_input.Count > _before)
            Convert(_input.Count - _before, _input.Count, output);
    }

    private void Convert(int count, int seen, List<float> output)
    {
        var window = _input.GetRange(0, seen).ToArray();
        var converted = Resampler.Resample(window, _fromRate, _toRate).Span;
        var skip = _before / _from * _to;
        output.AddRange(converted.Slice(skip, (int)(((long)count * _to + _from - 1) / _from)));
        var keep = Math.Min(_margin, _before + count);
        _input.RemoveRange(0, _before + count - keep);
        _before = keep;
    }

    private int Whole(int samples) => (samples + _from - 1) / _from * _from;
}
